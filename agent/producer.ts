/** Some records of a batch that were given up; the others were delivered. */
export interface BatchFailure {
  /** Position of the first of them among the records of the ticket. */
  readonly first: number;
  readonly count: number;
  /** Has their bytes as `batch` (one record batch) where the broker refused them. */
  readonly error: Error;
}

/** What the producer says about the batch that a record went into. */
export interface BatchTicket {
  /** Records appended so far; right after an append, that record is the last of them. */
  readonly recordCount: number;
  /**
   * Called once: acknowledged with its base offset, or with what was given up of it and why.
   * In order per partition. A batch may hold records of several sources: `failuresAmong`.
   */
  onDone(
    callback: (error: Error | null, baseOffset: number, failures: readonly BatchFailure[]) => void,
  ): void;
}

/**
 * What the sources need of the client's `Producer`; `Target` is opaque to them. A method, not a
 * promise per record: acknowledgements come per batch, through its ticket.
 */
export interface RecordProducer<Target = unknown> {
  target(topic: string, key: Buffer | null): Target;
  /** Copies the bytes. null: its memory is full, wait for `writable`. */
  append(
    target: Target,
    timestamp: number,
    key: Buffer | null,
    keyStart: number,
    keyEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
    headers: Buffer | null,
  ): BatchTicket | null;
  writable(): Promise<void>;
  /** Sends what is buffered without waiting for `linger`; resolves when all is done. */
  flush(): Promise<void>;
  /** Why records for the topic are not taken just now; undefined where nothing is known. */
  trouble(topic: string): Error | undefined;
}
