import { ageLimit, type Pace } from './pace.js';

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
