/** When a spool is cut; whichever comes first. Each undefined where it is not asked for. */
export interface Rotation {
  /** Bytes of keys and values. */
  readonly sizeBytes: number;
  readonly records: number | undefined;
  /** Since the spool's first record came in. */
  readonly ageMs: number | undefined;
  /** `ageMs` of the first spool after a start or a quiet time; it doubles up to `ageMs`. */
  readonly firstMs: number | undefined;
  /** Since the spool's last record came in. */
  readonly idleMs: number | undefined;
}

/** How full a partition's spool is. */
export interface SpoolLevel {
  /** The chain's position at which the spool begins. */
  readonly start: number;
  /** The next offset to read: everything before it is in the spool. */
  readonly position: number;
  readonly records: number;
  readonly bytes: number;
  /** When the spool was begun and last added to, in this process's monotonic milliseconds. */
  readonly sinceMs: number;
  readonly lastMs: number;
}

/** Why the spool is to be cut now, or undefined. */
export function cutReason(
  spool: SpoolLevel,
  rotation: Rotation,
  pace: Pace | undefined,
  now: number,
): 'size' | 'records' | 'age' | 'idle' | undefined {
  if (spool.position === spool.start) return undefined;
  const { idleMs } = rotation;
  const ageMs = ageLimit(pace, rotation, spool.sinceMs);
  // Offsets without records (markers of transactions, compaction) are worth a claim only in bulk.
  if (ageMs !== undefined && now - spool.sinceMs >= ageMs) return 'age';
  if (spool.records === 0) return undefined;
  if (spool.bytes >= rotation.sizeBytes) return 'size';
  if (rotation.records !== undefined && spool.records >= rotation.records) return 'records';
  if (idleMs !== undefined && now - spool.lastMs >= idleMs) return 'idle';
  return undefined;
}

/** How a partition has been cut lately. */
export interface Pace {
  readonly cutMs: number;
  /** How old the next spool may become: `firstMs` · 2^cuts since a quiet time, ≤ `ageMs`. */
  readonly waitMs: number;
}

/**
 * The age at which a spool begun at `sinceMs` is cut. The first one after a start or after a
 * quiet time (of `ageMs`) waits `firstMs`, each next one twice as long, up to `ageMs`: what is new
 * is seen soon, and it costs log2(ageMs / firstMs) cuts more, not one every `firstMs`.
 */
function ageLimit(
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
