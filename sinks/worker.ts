import type { FetchedRecords } from './feed.js';

/** How the worker of a partition stands, for status and metrics. */
export interface WorkerStatus {
  /** Everything before it has arrived where the sink puts it. */
  readonly doneTo: number;
  /** Everything before it has been read. */
  readonly readTo: number;
  /** Records read and not yet there. */
  readonly heldRecords: number;
  /** Bytes held in memory or on local disk. */
  readonly heldBytes: number;
  /** What a person has to mend before this partition goes on. */
  readonly blocked: string | undefined;
}

/** Takes the records of one partition to where its sink puts them. */
export interface PartitionWorker {
  readonly status: WorkerStatus;
  /** Looks where it stands, and asks its feed for records. */
  start(): void;
  /** Takes records in, now or when what is under way is done. */
  take(records: FetchedRecords): void;
  /** To be called every half second: for what is due by the clock, and retries. */
  tick(): void;
  /** Gives up what is held as soon as possible: memory or disk is needed elsewhere. */
  cut(): void;
  /** Resolves when everything before `until` has arrived, or the worker was closed. */
  drain(until: number): Promise<void>;
  /** Stops; resolves when nothing of this worker is under way any more. */
  close(): Promise<void>;
}
