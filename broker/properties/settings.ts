import { type ConnectionLimits, parseOverrides } from '../admission.js';
import type { CleanupPolicy, LogSettings } from '../log/index.js';
import { brokerProperties, placedElsewhere } from './broker.js';
import { listOf, numberOf, type PropertyDefinition, valueProblem } from './definition.js';
import { otherName } from './other-names.js';
import { topicProperties, topicPropertiesByName } from './topic.js';

/** Properties as they were set: Kafka's names, values as text. */
export type Properties = Readonly<Record<string, string>>;

/** What is wrong with one property. */
export interface PropertyProblem {
  readonly name: string;
  /** Says what to do about it; without the name. */
  readonly text: string;
  /** No property of that name is known. */
  readonly unknown: boolean;
}

function problemOf(
  name: string,
  value: string,
  definition: PropertyDefinition | undefined,
  of: 'broker' | 'topic',
): PropertyProblem | undefined {
  if (definition === undefined) {
    const text = otherName(name, of);
    return { name, text: text ?? 'is not a known property', unknown: text === undefined };
  }
  const text = valueProblem(definition, value);
  return text === undefined ? undefined : { name, text, unknown: false };
}

/** Every mistake in the properties of a topic. */
export function topicPropertyProblems(properties: Properties): PropertyProblem[] {
  return Object.entries(properties).flatMap(
    ([name, value]) => problemOf(name, value, topicPropertiesByName.get(name), 'topic') ?? [],
  );
}

/** Every mistake in the properties of the broker. */
export function brokerPropertyProblems(properties: Properties): PropertyProblem[] {
  const problems = Object.entries(properties).flatMap(([name, value]) => {
    const place = placedElsewhere.get(name);
    if (place !== undefined) return { name, text: `is not set here: ${place}`, unknown: false };
    return problemOf(name, value, brokerProperties.get(name), 'broker') ?? [];
  });
  return problems.length > 0 ? problems : contradictions(properties);
}

function contradictions(properties: Properties): PropertyProblem[] {
  const { socketRequestMaxBytes, messageMaxBytes, groupSessionTimeoutMs } =
    brokerSettings(properties);
  const problems: PropertyProblem[] = [];
  if (socketRequestMaxBytes <= messageMaxBytes) {
    const text = `(${socketRequestMaxBytes}) must exceed message.max.bytes (${messageMaxBytes})`;
    problems.push({ name: 'socket.request.max.bytes', text, unknown: false });
  }
  const overrides = 'max.connections.per.ip.overrides';
  if (parseOverrides(properties[overrides] ?? '') === undefined) {
    problems.push({ name: overrides, text: 'must be like 10.0.0.1:100,::1:5', unknown: false });
  }
  if (groupSessionTimeoutMs.min > groupSessionTimeoutMs.max) {
    const text = 'must not exceed group.max.session.timeout.ms';
    problems.push({ name: 'group.min.session.timeout.ms', text, unknown: false });
  }
  return problems;
}

/** The broker's own properties, typed. */
export interface BrokerSettings {
  readonly autoCreateTopics: boolean;
  readonly connectionsMaxIdleMs: number;
  readonly deleteTopicEnable: boolean;
  readonly fetchMaxBytes: number;
  readonly groupInitialRebalanceDelayMs: number;
  readonly groupMaxSize: number;
  readonly groupSessionTimeoutMs: { readonly min: number; readonly max: number };
  readonly logFlushOffsetCheckpointIntervalMs: number;
  readonly logRetentionCheckIntervalMs: number;
  readonly maxConnections: ConnectionLimits;
  readonly messageMaxBytes: number;
  readonly numPartitions: number;
  readonly offsetMetadataMaxBytes: number;
  readonly offsetsRetentionCheckIntervalMs: number;
  readonly offsetsRetentionMs: number;
  readonly offsetsTopicNumPartitions: number;
  readonly offsetsTopicSegmentBytes: number;
  /** Infinity for no limit. */
  readonly queuedMaxRequestBytes: number;
  readonly queuedMaxRequests: number;
  readonly socketRequestMaxBytes: number;
}

/** Valid properties, typed, with Kafka's defaults. */
export function brokerSettings(properties: Properties): BrokerSettings {
  const text = (name: string) => properties[name] ?? brokerProperties.get(name)?.default ?? '';
  const number = (name: string) => numberOf(text(name));
  const boolean = (name: string) => text(name).toLowerCase() === 'true';
  return {
    autoCreateTopics: boolean('auto.create.topics.enable'),
    connectionsMaxIdleMs: number('connections.max.idle.ms'),
    deleteTopicEnable: boolean('delete.topic.enable'),
    fetchMaxBytes: number('fetch.max.bytes'),
    groupInitialRebalanceDelayMs: number('group.initial.rebalance.delay.ms'),
    groupMaxSize: number('group.max.size'),
    groupSessionTimeoutMs: {
      min: number('group.min.session.timeout.ms'),
      max: number('group.max.session.timeout.ms'),
    },
    logFlushOffsetCheckpointIntervalMs: number('log.flush.offset.checkpoint.interval.ms'),
    logRetentionCheckIntervalMs: number('log.retention.check.interval.ms'),
    maxConnections: {
      total: number('max.connections'),
      perAddress: number('max.connections.per.ip'),
      overrides: parseOverrides(text('max.connections.per.ip.overrides')) ?? new Map(),
    },
    messageMaxBytes: number('message.max.bytes'),
    numPartitions: number('num.partitions'),
    offsetMetadataMaxBytes: number('offset.metadata.max.bytes'),
    offsetsRetentionCheckIntervalMs: number('offsets.retention.check.interval.ms'),
    offsetsRetentionMs: number('offsets.retention.minutes') * 60_000,
    offsetsTopicNumPartitions: number('offsets.topic.num.partitions'),
    offsetsTopicSegmentBytes: number('offsets.topic.segment.bytes'),
    queuedMaxRequestBytes:
      number('queued.max.request.bytes') < 0
        ? Number.POSITIVE_INFINITY
        : number('queued.max.request.bytes'),
    queuedMaxRequests: number('queued.max.requests'),
    socketRequestMaxBytes: number('socket.request.max.bytes'),
  };
}

/** A value in force and where it comes from. */
export interface EffectiveValue {
  readonly value: string;
  /** The broker property that sets it; null for a topic's own or the built-in default. */
  readonly source: 'topic' | 'broker' | 'default';
  readonly brokerProperty: string | undefined;
}

/** What is in force for each topic property, by name. */
export function effectiveTopicProperties(
  topic: Properties,
  broker: Properties,
): Map<string, EffectiveValue> {
  const result = new Map<string, EffectiveValue>();
  for (const definition of topicProperties) {
    const own = topic[definition.name];
    const set = definition.brokerDefaults.find(({ name }) => broker[name] !== undefined);
    if (own !== undefined) {
      result.set(definition.name, { value: own, source: 'topic', brokerProperty: set?.name });
    } else if (set !== undefined) {
      const text = broker[set.name] ?? definition.default;
      const negative = text.startsWith('-');
      const value =
        set.factor === undefined || negative ? text : String(numberOf(text) * set.factor);
      result.set(definition.name, { value, source: 'broker', brokerProperty: set.name });
    } else {
      const { name, default: value } = definition;
      result.set(name, { value, source: 'default', brokerProperty: undefined });
    }
  }
  return result;
}

/** A topic's settings as its logs want them, and what its partitions need. */
export interface TopicSettings {
  readonly log: LogSettings;
  readonly minInsyncReplicas: number;
}

/** Valid properties of a topic and its broker, typed. */
export function topicSettings(topic: Properties, broker: Properties): TopicSettings {
  const effective = effectiveTopicProperties(topic, broker);
  const text = (name: string) => effective.get(name)?.value ?? '';
  const number = (name: string) => numberOf(text(name));
  const policy = listOf(text('cleanup.policy')).sort().join(',');
  const expiration = brokerProperties.get('producer.id.expiration.ms')?.default ?? '';
  const log: LogSettings = {
    segmentBytes: number('segment.bytes'),
    segmentMs: number('segment.ms'),
    indexIntervalBytes: number('index.interval.bytes'),
    segmentIndexBytes: number('segment.index.bytes'),
    flushMessages: number('flush.messages'),
    flushMs: number('flush.ms'),
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    maxMessageBytes: number('max.message.bytes'),
    messageTimestampType: text('message.timestamp.type') as LogSettings['messageTimestampType'],
    messageTimestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
    messageTimestampAfterMaxMs: number('message.timestamp.after.max.ms'),
    cleanupPolicy: policy as CleanupPolicy,
    fileDeleteDelayMs: number('file.delete.delay.ms'),
    producerIdExpirationMs: numberOf(broker['producer.id.expiration.ms'] ?? expiration),
  };
  return { log, minInsyncReplicas: number('min.insync.replicas') };
}
