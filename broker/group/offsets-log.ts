/**
 * What the coordinator asks of the broker: the log of the topic `__consumer_offsets`. The broker
 * creates the files of a partition with its first append.
 */
export interface OffsetsLog {
  /** Partitions of the topic, whether they have files or not; fixed for the topic's life. */
  readonly partitionCount: number;
  /** The partitions that have files and this broker leads: what is to be loaded at start. */
  partitions(): readonly number[];
  /**
   * Appends one record batch (and owns its memory). Calls take effect in their order, and their
   * promises settle in that order: each once the batch is as durable as the topic demands.
   */
  append(partition: number, batch: Buffer): Promise<void>;
  /** Whole batches from the log's start to its end, in order; each chunk lives until the next. */
  read(partition: number): AsyncIterable<Buffer>;
}
