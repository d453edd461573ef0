import { LONG_MAX_TEXT, type PropertyDefinition } from './definition.js';

/** A broker property that gives a topic property its default, and its unit where it has another. */
export interface BrokerDefault {
  readonly name: string;
  /** Milliseconds of one unit of the broker's property. */
  readonly factor?: number;
}

/** A topic property and the broker properties that set its default, the strongest first. */
export interface TopicPropertyDefinition extends PropertyDefinition {
  readonly brokerDefaults: readonly BrokerDefault[];
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Kafka's topic properties that this broker knows. */
export const topicProperties: readonly TopicPropertyDefinition[] = [
  {
    ...{ name: 'cleanup.policy', type: 'list', default: 'delete', choices: ['delete', 'compact'] },
    doc: 'What happens to old records: deletion by time and size, or compaction by key.',
    brokerDefaults: [{ name: 'log.cleanup.policy' }],
  },
  {
    ...{ name: 'compression.type', type: 'string', default: 'producer', choices: ['producer'] },
    doc: "Codec of stored batches; `producer` keeps the producer's.",
    brokerDefaults: [{ name: 'compression.type' }],
  },
  {
    ...{ name: 'delete.retention.ms', type: 'long', default: '86400000', min: 0 },
    doc: 'How long compaction keeps tombstones.',
    brokerDefaults: [{ name: 'log.cleaner.delete.retention.ms' }],
  },
  {
    ...{ name: 'file.delete.delay.ms', type: 'long', default: '60000', min: 0 },
    doc: 'How long a deleted file stays under its .deleted name.',
    brokerDefaults: [{ name: 'log.segment.delete.delay.ms' }],
  },
  {
    ...{ name: 'flush.messages', type: 'long', default: LONG_MAX_TEXT, min: 1 },
    doc: 'Records that may be unsynced; with 1 every acknowledgement waits for the disk.',
    brokerDefaults: [{ name: 'log.flush.interval.messages' }, { name: 'flush.messages' }],
  },
  {
    ...{ name: 'flush.ms', type: 'long', default: LONG_MAX_TEXT, min: 0 },
    doc: 'Longest time a record stays unsynced.',
    brokerDefaults: [{ name: 'log.flush.interval.ms' }, { name: 'flush.ms' }],
  },
  {
    ...{ name: 'index.interval.bytes', type: 'int', default: '4096', min: 0 },
    doc: 'Bytes of batches between two entries of the offset index.',
    brokerDefaults: [{ name: 'log.index.interval.bytes' }],
  },
  {
    ...{ name: 'max.compaction.lag.ms', type: 'long', default: LONG_MAX_TEXT, min: 1 },
    doc: 'Longest time a record stays uncompacted.',
    brokerDefaults: [{ name: 'log.cleaner.max.compaction.lag.ms' }],
  },
  {
    ...{ name: 'max.message.bytes', type: 'int', default: '1048588', min: 0 },
    doc: 'The largest batch that is taken.',
    brokerDefaults: [{ name: 'message.max.bytes' }],
  },
  {
    ...{ name: 'message.timestamp.after.max.ms', type: 'long', default: '3600000', min: 0 },
    doc: "How far after the broker's clock a record's time may lie.",
    brokerDefaults: [{ name: 'log.message.timestamp.after.max.ms' }],
  },
  {
    ...{ name: 'message.timestamp.before.max.ms', type: 'long', default: LONG_MAX_TEXT, min: 0 },
    doc: "How far before the broker's clock a record's time may lie.",
    brokerDefaults: [{ name: 'log.message.timestamp.before.max.ms' }],
  },
  {
    ...{ name: 'message.timestamp.type', type: 'string', default: 'CreateTime' },
    choices: ['CreateTime', 'LogAppendTime'],
    doc: "Whether a record keeps the producer's time or gets that of its append.",
    brokerDefaults: [{ name: 'log.message.timestamp.type' }],
  },
  {
    ...{ name: 'min.cleanable.dirty.ratio', type: 'double', default: '0.5', min: 0, max: 1 },
    doc: 'Share of uncompacted bytes from which on compaction starts.',
    brokerDefaults: [{ name: 'log.cleaner.min.cleanable.ratio' }],
  },
  {
    ...{ name: 'min.compaction.lag.ms', type: 'long', default: '0', min: 0 },
    doc: 'Shortest time a record stays uncompacted.',
    brokerDefaults: [{ name: 'log.cleaner.min.compaction.lag.ms' }],
  },
  {
    ...{ name: 'min.insync.replicas', type: 'int', default: '1', min: 1 },
    doc: 'In-sync replicas without which acks=all is refused.',
    brokerDefaults: [{ name: 'min.insync.replicas' }],
  },
  {
    ...{ name: 'retention.bytes', type: 'long', default: '-1', min: -1 },
    doc: 'Size of a partition beyond which its oldest segments are deleted; -1 never.',
    brokerDefaults: [{ name: 'log.retention.bytes' }],
  },
  {
    ...{ name: 'retention.ms', type: 'long', default: '604800000', min: -1 },
    doc: 'Age from which on segments are deleted; -1 never.',
    brokerDefaults: [
      { name: 'log.retention.ms' },
      { name: 'log.retention.minutes', factor: MINUTE_MS },
      { name: 'log.retention.hours', factor: HOUR_MS },
    ],
  },
  {
    ...{ name: 'segment.bytes', type: 'int', default: '1073741824', min: 14 },
    doc: 'Size at which the next segment is begun.',
    brokerDefaults: [{ name: 'log.segment.bytes' }],
  },
  {
    ...{ name: 'segment.index.bytes', type: 'int', default: '10485760', min: 4 },
    doc: 'Size an index is preallocated to.',
    brokerDefaults: [{ name: 'log.index.size.max.bytes' }],
  },
  {
    ...{ name: 'segment.ms', type: 'long', default: '604800000', min: 1 },
    doc: 'Age at which the next segment is begun even where this one is not full.',
    brokerDefaults: [{ name: 'log.roll.ms' }, { name: 'log.roll.hours', factor: HOUR_MS }],
  },
];

export const topicPropertiesByName: ReadonlyMap<string, TopicPropertyDefinition> = new Map(
  topicProperties.map((definition) => [definition.name, definition]),
);
