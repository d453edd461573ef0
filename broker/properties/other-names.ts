import { brokerProperties } from './broker.js';
import { topicPropertiesByName } from './topic.js';

/**
 * What earlier Kafkas called a property of the broker, or what it is often taken to be called, and
 * its name; `factor` and `unit` where its value is in another unit.
 */
export const renamed: ReadonlyMap<string, { readonly name: string; readonly note?: string }> =
  new Map([
    ['auto.create.topics', { name: 'auto.create.topics.enable' }],
    ['connections.max.idle', { name: 'connections.max.idle.ms', note: 'in milliseconds' }],
    [
      'log.cleanup.interval.mins',
      { name: 'log.retention.check.interval.ms', note: 'in milliseconds' },
    ],
    ['log.cleanup.interval.ms', { name: 'log.retention.check.interval.ms' }],
    ['log.default.flush.interval.ms', { name: 'log.flush.interval.ms' }],
    ['log.delete.delay.ms', { name: 'log.segment.delete.delay.ms' }],
    ['log.file.size', { name: 'log.segment.bytes' }],
    ['log.flush.interval', { name: 'log.flush.interval.messages' }],
    ['log.index.max.size', { name: 'log.index.size.max.bytes' }],
    ['log.max.message.bytes', { name: 'message.max.bytes' }],
    [
      'log.retention.check.interval.mins',
      { name: 'log.retention.check.interval.ms', note: 'in milliseconds' },
    ],
    ['log.retention.days', { name: 'log.retention.hours', note: 'in hours' }],
    ['log.retention.mins', { name: 'log.retention.minutes' }],
    ['log.retention.size', { name: 'log.retention.bytes' }],
    ['log.retention.time', { name: 'log.retention.ms', note: 'in milliseconds' }],
    ['log.roll.interval.ms', { name: 'log.roll.ms' }],
    ['log.roll.minutes', { name: 'log.roll.ms', note: 'in milliseconds' }],
    ['log.segment.size', { name: 'log.segment.bytes' }],
    ['max.message.size', { name: 'message.max.bytes' }],
    ['max.request.size', { name: 'socket.request.max.bytes' }],
    ['message.max.size', { name: 'message.max.bytes' }],
    ['min.isr', { name: 'min.insync.replicas' }],
    ['num.replicas', { name: 'default.replication.factor' }],
    ['offsets.retention.hours', { name: 'offsets.retention.minutes', note: 'in minutes' }],
    ['offsets.retention.ms', { name: 'offsets.retention.minutes', note: 'in minutes' }],
    ['replication.factor', { name: 'default.replication.factor' }],
    ['topic.flush.intervals.ms', { name: 'log.flush.interval.ms', note: 'or flush.ms of a topic' }],
    [
      'topic.log.retention.hours',
      { name: 'log.retention.hours', note: 'or retention.ms of a topic' },
    ],
    [
      'transactional.id.expiration.ms',
      { name: 'producer.id.expiration.ms', note: 'there are no transactions yet' },
    ],
  ]);

/** Kafka's properties, by how they begin, that mean nothing here, and why. */
const withoutMeaning: readonly (readonly [RegExp, string])[] = [
  [/^(zk|zookeeper)\.|^enable\.zookeeper$/, 'this broker needs no ZooKeeper'],
  [/^(controller|metadata|raft|quorum)\./, 'this broker is its own controller'],
  [
    /^(ssl|sasl|security|principal|delegation|password|authorizer|super|listener)\b/,
    'there is neither TLS nor SASL yet',
  ],
  [
    /^(replica|leader|unclean|auto\.leader)\.|^num\.replica|^controlled\.shutdown|^broker\.rack$/,
    'there is no replication yet',
  ],
  [/^(transaction|transactional)\./, 'there are no transactions yet'],
  [/^log\.cleaner\./, 'there is no compaction yet'],
  [/^(remote\.log|remote\.storage|local\.retention)/, 'there is no tiered storage'],
  [/^(quota|client\.quota|replication\.quota|alter\.log\.dirs)/, 'there are no quotas yet'],
  [
    /^(num\.(network|io|recovery)\.|num\.threads|background\.threads|queued\.max)/,
    'this broker works on one thread',
  ],
  [/^socket\.(send|receive|listen)\./, 'the operating system chooses its socket buffers'],
  [
    /^(inter\.broker\.protocol|log\.message\.(format|downconversion))/,
    'this broker knows one format of records, the newest',
  ],
  [/^(group\.(consumer|share|streams)|share)\./, 'there are only classic groups yet'],
  [
    /^(metric|metrics|auto\.include\.jmx|kafka\.metrics)/,
    'metrics are for Prometheus: set telemetry.listen',
  ],
];

/**
 * What to say of a name that is no property of the broker (`broker`) or of a topic (`topic`): its
 * name here, or why it has no meaning; undefined where that cannot be told.
 */
export function otherName(name: string, of: 'broker' | 'topic'): string | undefined {
  const called = (right: string, note?: string) =>
    `is not a known property; did you mean "${right}"${note === undefined ? '' : ` (${note})`}?`;
  if (of === 'topic') {
    const target = renamed.get(name)?.name ?? name;
    for (const topic of topicPropertiesByName.values()) {
      const from = topic.brokerDefaults.find((broker) => broker.name === target);
      if (from === undefined) continue;
      const unit = from.factor === undefined ? undefined : 'in milliseconds';
      return called(topic.name, unit);
    }
    if (brokerProperties.has(target)) {
      return `belongs to the broker, not to a topic: set broker.properties.${target}`;
    }
  } else {
    const known = renamed.get(name);
    if (known !== undefined) return called(known.name, known.note);
    const [usual] = topicPropertiesByName.get(name)?.brokerDefaults ?? [];
    if (usual !== undefined) return called(usual.name, `${name} is a topic's`);
  }
  const reason = withoutMeaning.find(([pattern]) => pattern.test(name))?.[1];
  return reason === undefined ? undefined : `has no meaning here: ${reason}`;
}
