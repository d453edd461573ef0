import type { System } from '../system/index.js';
import { type BackoffSettings, backoffMs } from './backoff.js';
import { GaveUpError, isRetriableError } from './errors.js';

/** How long something is tried again. */
export interface RetryOptions {
  /** From the first attempt, milliseconds; without it for ever. */
  readonly timeoutMs?: number | undefined;
  /** Ends the waiting between attempts; the last error is thrown then. */
  readonly signal?: AbortSignal;
}

/**
 * Repeats `attempt` until it succeeds, fails for good, or the time is over (GaveUpError, with the
 * last error as its cause). Errors that are not retriable pass through at once.
 */
export async function retry<T>(
  system: Pick<System, 'clock' | 'random'>,
  backoff: BackoffSettings,
  what: string,
  options: RetryOptions,
  attempt: () => Promise<T>,
): Promise<T> {
  const { clock, random } = system;
  const start = clock.monotonic();
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isRetriableError(error) || options.signal?.aborted) throw error;
      const delayMs = backoffMs(backoff, failures, random);
      const { timeoutMs } = options;
      if (timeoutMs !== undefined && clock.monotonic() + delayMs - start >= timeoutMs) {
        throw new GaveUpError(what, timeoutMs, error);
      }
      await clock.sleep(delayMs, options.signal);
      if (options.signal?.aborted) throw error;
    }
  }
}
