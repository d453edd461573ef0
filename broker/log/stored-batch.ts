import type { BatchHeader } from '../../protocol/records/index.js';

/** A batch as the log holds it: with the offsets it was given. */
export interface StoredBatch {
  readonly header: BatchHeader;
  /** Holds the whole batch, from `start` on. Belongs to the callee only for the call. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  /** Milliseconds; the time of the append where the topic says so. */
  readonly maxTimestamp: number;
}

/** The batch of this header at `start` of `bytes`, as it is already in a log. */
export function storedBatch(header: BatchHeader, bytes: Buffer, start: number): StoredBatch {
  return {
    header,
    bytes,
    start,
    baseOffset: header.baseOffset,
    lastOffset: header.baseOffset + header.lastOffsetDelta,
    leaderEpoch: header.partitionLeaderEpoch,
    maxTimestamp: header.maxTimestamp,
  };
}
