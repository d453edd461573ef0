import type { Random } from '../system/index.js';

/** Exponential backoff with a fifth of jitter, so that clients do not return in step. */
export interface BackoffSettings {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** How long to wait after the `failures`-th failure in a row (from 1). */
export function backoffMs(settings: BackoffSettings, failures: number, random: Random): number {
  const exponent = Math.min(failures - 1, 30);
  const delayMs = Math.min(settings.maxMs, settings.baseMs * 2 ** exponent);
  return delayMs * (0.8 + 0.4 * random.float());
}
