/** What happens to old records: `cleanup.policy`. Compaction itself is not built yet. */
export type CleanupPolicy = 'delete' | 'compact' | 'compact,delete';

/**
 * A log's settings: Kafka's topic properties in camelCase. -1 stands for "no limit" where Kafka
 * says so (`retention.ms`, `retention.bytes`); other limits use Infinity for Kafka's Long.MAX.
 */
export interface LogSettings {
  /** `segment.bytes`: a segment is rolled before it grows beyond this. */
  readonly segmentBytes: number;
  /** `segment.ms`: a segment is rolled once its first record is older, even if it is not full. */
  readonly segmentMs: number;
  /** `index.interval.bytes`: at most one index entry for so many bytes of batches. */
  readonly indexIntervalBytes: number;
  /** `segment.index.bytes`: size an index is preallocated to; a full index rolls the segment. */
  readonly segmentIndexBytes: number;
  /** `flush.messages`: records that may be unsynced; with 1 each acknowledgement waits. */
  readonly flushMessages: number;
  /** `flush.ms`: longest time a record stays unsynced. */
  readonly flushMs: number;
  /** `retention.ms`: segments whose newest record is older are deleted; -1 never. */
  readonly retentionMs: number;
  /** `retention.bytes`: the oldest segments beyond this size are deleted; -1 never. */
  readonly retentionBytes: number;
  /** `max.message.bytes`: the largest batch taken. */
  readonly maxMessageBytes: number;
  /** `message.timestamp.type`. */
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime';
  /** `message.timestamp.before.max.ms`: how far before now a record's time may lie. */
  readonly messageTimestampBeforeMaxMs: number;
  /** `message.timestamp.after.max.ms`: how far after now a record's time may lie. */
  readonly messageTimestampAfterMaxMs: number;
  /** `cleanup.policy`: retention applies where it contains `delete`. */
  readonly cleanupPolicy: CleanupPolicy;
  /** `file.delete.delay.ms`: how long a deleted file stays under its `.deleted` name. */
  readonly fileDeleteDelayMs: number;
  /** `producer.id.expiration.ms` (a broker property): idle producers are forgotten after it. */
  readonly producerIdExpirationMs: number;
}

/** Kafka's defaults. */
export const defaultLogSettings: LogSettings = {
  segmentBytes: 1024 ** 3,
  segmentMs: 604_800_000,
  indexIntervalBytes: 4096,
  segmentIndexBytes: 10 * 1024 * 1024,
  flushMessages: Number.POSITIVE_INFINITY,
  flushMs: Number.POSITIVE_INFINITY,
  retentionMs: 604_800_000,
  retentionBytes: -1,
  maxMessageBytes: 1_048_588,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Number.POSITIVE_INFINITY,
  messageTimestampAfterMaxMs: 3_600_000,
  cleanupPolicy: 'delete',
  fileDeleteDelayMs: 60_000,
  producerIdExpirationMs: 86_400_000,
};
