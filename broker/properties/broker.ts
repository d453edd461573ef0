import { LONG_MAX_TEXT, type PropertyDefinition } from './definition.js';
import { topicProperties } from './topic.js';

/** Properties of the broker itself. */
const own: readonly PropertyDefinition[] = [
  {
    ...{ name: 'auto.create.topics.enable', type: 'boolean', default: 'true' },
    doc: 'Creates a topic when a client first asks for it.',
  },
  {
    ...{ name: 'connections.max.idle.ms', type: 'long', default: '600000', min: 1 },
    doc: 'Closes connections on which nothing was asked for so long.',
  },
  {
    ...{ name: 'default.replication.factor', type: 'int', default: '1', min: 1, max: 1 },
    doc: 'Replicas of a topic that is created without saying how many.',
  },
  {
    ...{ name: 'delete.topic.enable', type: 'boolean', default: 'true' },
    doc: 'Whether clients may delete topics.',
  },
  {
    ...{ name: 'fetch.max.bytes', type: 'int', default: '57671680', min: 1024 },
    doc: 'Most bytes of records in one Fetch response.',
  },
  {
    ...{ name: 'group.initial.rebalance.delay.ms', type: 'int', default: '0', min: 0 },
    doc: 'How long a new group waits for more members before its first assignment.',
  },
  {
    ...{ name: 'group.max.session.timeout.ms', type: 'int', default: '1800000', min: 1 },
    doc: 'Longest session timeout a member may ask for.',
  },
  {
    ...{ name: 'group.max.size', type: 'int', default: '2147483647', min: 1 },
    doc: 'Most members of a group.',
  },
  {
    ...{ name: 'group.min.session.timeout.ms', type: 'int', default: '6000', min: 1 },
    doc: 'Shortest session timeout a member may ask for.',
  },
  {
    ...{ name: 'log.flush.offset.checkpoint.interval.ms', type: 'int', default: '60000', min: 1 },
    doc: 'How often the recovery points are written.',
  },
  {
    ...{ name: 'log.retention.check.interval.ms', type: 'long', default: '300000', min: 1 },
    doc: 'How often logs are looked at for segments to delete.',
  },
  {
    ...{ name: 'max.connections', type: 'int', default: '2147483647', min: 0 },
    doc: 'Most clients that may be connected; one more is closed at once, counted and logged.',
  },
  {
    ...{ name: 'max.connections.per.ip', type: 'int', default: '2147483647', min: 0 },
    doc: 'Most clients from one address.',
  },
  {
    ...{ name: 'max.connections.per.ip.overrides', type: 'string', default: '' },
    doc: 'Other limits for some addresses, such as 10.0.0.1:100,10.0.0.2:200.',
  },
  {
    ...{ name: 'num.partitions', type: 'int', default: '1', min: 1 },
    doc: 'Partitions of a topic that is created without saying how many.',
  },
  {
    ...{ name: 'offset.metadata.max.bytes', type: 'int', default: '4096', min: 0 },
    doc: 'Longest text a consumer may store with an offset.',
  },
  {
    ...{ name: 'offsets.retention.check.interval.ms', type: 'long', default: '600000', min: 1 },
    doc: "How often groups' offsets are looked at for expiry.",
  },
  {
    ...{ name: 'offsets.retention.minutes', type: 'int', default: '10080', min: 1 },
    doc: 'How long the offsets of a group without members are kept.',
  },
  {
    ...{ name: 'offsets.topic.num.partitions', type: 'int', default: '50', min: 1 },
    doc: 'Partitions of __consumer_offsets; fixed once it exists.',
  },
  {
    ...{ name: 'offsets.topic.segment.bytes', type: 'int', default: '104857600', min: 1 },
    doc: 'Segment size of __consumer_offsets.',
  },
  {
    ...{ name: 'producer.id.expiration.ms', type: 'int', default: '86400000', min: 1 },
    doc: 'How long the sequence numbers of an idle producer are remembered.',
  },
  {
    ...{ name: 'queued.max.request.bytes', type: 'long', default: '268435456', min: -1 },
    doc:
      'Bytes of requests that may be in memory, all clients together; beyond it no further large ' +
      'request is read. Answers that clients have not taken may be as many again: fetches get ' +
      'less where they are short. -1 for no limit.',
  },
  {
    ...{ name: 'queued.max.requests', type: 'int', default: '500', min: 1 },
    doc: 'Requests of one client that may wait before nothing more is read from it.',
  },
  {
    ...{ name: 'socket.request.max.bytes', type: 'int', default: '104857600', min: 1 },
    doc: 'The largest request that is taken; must exceed message.max.bytes.',
  },
];

/** The default of a topic property in the unit of the broker's property. */
function scaled(value: string, factor: number | undefined): string {
  if (factor === undefined || value === LONG_MAX_TEXT) return value;
  return String(Math.floor(Number(value) / factor));
}

/** Broker properties that are the defaults of topic properties. */
const defaultsOfTopics: readonly PropertyDefinition[] = topicProperties.flatMap((topic) =>
  topic.brokerDefaults.map(({ name, factor }) => ({
    ...topic,
    name,
    default: scaled(topic.default, factor),
    doc: `Default of the topics' ${topic.name}. ${topic.doc}`,
  })),
);

/** Kafka's broker properties that this broker knows. */
export const brokerProperties: ReadonlyMap<string, PropertyDefinition> = new Map(
  [...own, ...defaultsOfTopics]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((definition) => [definition.name, definition]),
);

/** Kafka's properties that have a place of their own in the YAML, or no meaning here. */
export const placedElsewhere: ReadonlyMap<string, string> = new Map([
  ['advertised.listeners', 'set `advertise` of an entry of broker.listeners'],
  ['broker.id', 'set broker.node_id'],
  ['controller.quorum.bootstrap.servers', 'this broker is its own controller'],
  ['controller.quorum.voters', 'this broker is its own controller'],
  ['host.name', 'set broker.listeners'],
  ['listeners', 'set broker.listeners'],
  ['log.dir', 'set data_dir (logs are in its folder broker)'],
  ['log.dirs', 'set data_dir (logs are in its folder broker)'],
  ['node.id', 'set broker.node_id'],
  ['port', 'set broker.listeners'],
  ['process.roles', 'this broker is its own controller'],
  ['zookeeper.connect', 'this broker needs no ZooKeeper'],
]);
