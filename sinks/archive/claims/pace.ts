import type { Rotation } from './rotation.js';

/** How a partition has been cut lately. */
export interface Pace {
  readonly cutMs: number;
  /** How long the next spool may become: `firstMs` · 2^cuts since the last quiet time, ≤ `ageMs`. */
  readonly waitMs: number;
}

/**
 * The age at which a spool begun at `sinceMs` is cut. The first one after a start or after a
 * quiet time (of `ageMs`) waits `firstMs`, each next one twice as long, up to `ageMs`: what is new
 * is seen soon, and it costs log2(ageMs / firstMs) cuts more, not one every `firstMs`.
 */
export function ageLimit(
  pace: Pace | undefined,
  { ageMs, firstMs }: Rotation,
  sinceMs: number,
): number | undefined {
  if (ageMs === undefined || firstMs === undefined) return ageMs;
  const isFresh = pace === undefined || sinceMs - pace.cutMs >= ageMs;
  return Math.min(isFresh ? firstMs : pace.waitMs, ageMs);
}

/** The pace once a spool begun at `sinceMs` has been cut. */
export function paceAfter(
  pace: Pace | undefined,
  rotation: Rotation,
  sinceMs: number,
  now: number,
): Pace | undefined {
  const limit = ageLimit(pace, rotation, sinceMs);
  if (limit === undefined) return undefined;
  return { cutMs: now, waitMs: Math.min(limit * 2, rotation.ageMs ?? Infinity) };
}
