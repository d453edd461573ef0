import type { RecordWalk } from '../record-view.js';

/** Records of one partition, in order, as they were fetched. Whoever holds it owns its memory. */
export interface FetchedRecords {
  /** The offset that was asked for: nothing between it and the first record is missing. */
  readonly fetchOffset: number;
  /** The offset to go on with. */
  readonly nextOffset: number;
  /** Walks the visible records (read_committed). */
  readonly records: RecordWalk;
}

/** The topic, as the writer of one partition sees it. */
export interface PartitionFeed {
  /** What the sink's group has committed; undefined where nothing is. */
  committed(): Promise<number | undefined>;
  commit(offset: number): Promise<void>;
  /** First offset that is there, and the one that the next stable record will get. */
  range(): Promise<{ readonly start: number; readonly end: number }>;
  /** From now on records from this offset on are handed over. */
  seek(offset: number): void;
  pause(): void;
  resume(): void;
}
