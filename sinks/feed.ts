import type { RecordWalk } from './record-view.js';

/** Records of one partition, in order, as they were fetched. Whoever holds it owns its memory. */
export interface FetchedRecords {
  /** The offset that was asked for: nothing between it and the first record is missing. */
  readonly fetchOffset: number;
  /** The offset to go on with. */
  readonly nextOffset: number;
  /** Walks the visible records (read_committed). */
  readonly records: RecordWalk;
  /** The record batches that hold them, whole, as they were fetched. */
  readonly batches: readonly Buffer[];
  /**
   * Gives the memory back for later fetches: nothing of the above may be used any more. To be
   * called once; whoever keeps something does without.
   */
  release(): void;
}

/** The offsets a partition has. */
export interface OffsetRange {
  readonly start: number;
  /** The one that the next stable record will get. */
  readonly end: number;
}

/** The topic, as the worker of one partition sees it. */
export interface PartitionFeed {
  /** What the sink's group has committed; undefined where nothing is. */
  committed(): Promise<number | undefined>;
  commit(offset: number): Promise<void>;
  range(): Promise<OffsetRange>;
  /** From now on records from this offset on are handed over. */
  seek(offset: number): void;
  pause(): void;
  resume(): void;
}
