/** What the producer says about the batch that a record went into. */
export interface BatchTicket {
  /** Called once: acknowledged with its base offset, or failed for good. In order per partition. */
  onDone(callback: (error: Error | null, baseOffset: number) => void): void;
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
}
