import { describe, expect, it } from 'vitest';
import { defaultLogSettings } from '../../broker/log/index.js';
import {
  brokerProperties,
  brokerPropertyProblems,
  brokerSettings,
  renamed,
  topicPropertyProblems,
  topicSettings,
} from '../../broker/properties/index.js';
import { brokerOptions, brokerSection } from '../../broker/section/index.js';

describe("Kafka's properties", () => {
  it('have the defaults of Kafka, as the log has them', () => {
    expect(topicSettings({}, {}).log).toEqual(defaultLogSettings);
    expect(brokerSettings({})).toMatchObject({
      ...{ numPartitions: 1, socketRequestMaxBytes: 104857600, messageMaxBytes: 1048588 },
      ...{ connectionsMaxIdleMs: 600000, offsetsTopicNumPartitions: 50, autoCreateTopics: true },
    });
  });

  it.each([
    [{ 'log.retention.hours': '2' }, {}, 'retentionMs', 7_200_000],
    [{ 'log.retention.hours': '2', 'log.retention.minutes': '1' }, {}, 'retentionMs', 60_000],
    [{ 'log.retention.minutes': '1', 'log.retention.ms': '5' }, {}, 'retentionMs', 5],
    [{ 'log.retention.hours': '-1' }, {}, 'retentionMs', -1],
    [{ 'log.retention.ms': '5' }, { 'retention.ms': '6' }, 'retentionMs', 6],
    [{ 'log.roll.hours': '1' }, {}, 'segmentMs', 3_600_000],
    [{ 'log.flush.interval.messages': '1' }, {}, 'flushMessages', 1],
    [{ 'flush.messages': '3' }, {}, 'flushMessages', 3],
    [{}, { 'flush.ms': '9223372036854775807' }, 'flushMs', Number.POSITIVE_INFINITY],
    [{}, { 'cleanup.policy': 'delete, compact' }, 'cleanupPolicy', 'compact,delete'],
    [{ 'message.max.bytes': '77' }, {}, 'maxMessageBytes', 77],
    [{ 'producer.id.expiration.ms': '8' }, {}, 'producerIdExpirationMs', 8],
  ] as const)('broker %o, topic %o: %s is %s', (broker, topic, name, value) => {
    const properties = broker as unknown as Record<string, string>;
    const own = topic as unknown as Record<string, string>;
    expect(brokerPropertyProblems(properties)).toEqual([]);
    expect(topicPropertyProblems(own)).toEqual([]);
    expect(topicSettings(own, properties).log[name]).toBe(value);
  });

  it.each([
    ['retention.ms', '1h', /whole number/],
    ['retention.ms', '-2', /at least -1/],
    ['cleanup.policy', 'keep', /delete or compact/],
    ['min.cleanable.dirty.ratio', '2', /at most 1/],
    ['segment.bytes', '4294967296', /at most 2147483647/],
    ['message.timestamp.type', 'Now', /CreateTime or LogAppendTime/],
    ['retention', '1', /not a known property/],
  ])('topic property %s=%s is refused', (name, value, problem) => {
    const [found] = topicPropertyProblems({ [name]: value });
    expect(found?.text).toMatch(problem);
  });

  it('those that have a place in the YAML are refused naming it', () => {
    for (const name of ['listeners', 'log.dirs', 'broker.id', 'node.id', 'advertised.listeners']) {
      expect(brokerPropertyProblems({ [name]: '1' })[0]?.text).toMatch(/is not set here: set /);
    }
  });
});

describe('the broker section', () => {
  it('has defaults for everything', () => {
    const options = brokerOptions(brokerSection.parse({}), '/data');
    expect(options).toEqual({
      ...{ dataDir: '/data', nodeId: 1, properties: {}, topics: {} },
      listeners: [{ listen: { host: '127.0.0.1', port: 9092 } }],
    });
  });

  it('takes property values as text, numbers and booleans', () => {
    const properties = { 'num.partitions': 3, 'auto.create.topics.enable': false };
    const section = brokerSection.parse({ properties, topics: { a: { partitions: 2 }, b: {} } });
    expect(section.properties).toEqual({
      'num.partitions': '3',
      'auto.create.topics.enable': 'false',
    });
    expect(Object.keys(brokerOptions(section, '/d').topics ?? {})).toEqual(['a', 'b']);
  });

  it('tells every mistake, with the nearest known name', () => {
    const result = brokerSection.safeParse({
      properties: { 'num.partition': 1, 'log.retention.hours': 'x', 'log.dirs': '/x' },
      topics: { a: { properties: { 'retention.mss': 1 } } },
    });
    const problems = result.error?.issues.map(
      ({ path, message }) => `${path.join('/')}: ${message}`,
    );
    expect(problems).toEqual([
      expect.stringMatching(/properties\/num\.partition: .*did you mean "num\.partitions"/),
      expect.stringMatching(/properties\/log\.retention\.hours: must be a whole number/),
      expect.stringMatching(/properties\/log\.dirs: is not set here: set data_dir/),
      expect.stringMatching(
        /topics\/a\/properties\/retention\.mss: .*did you mean "retention\.ms"/,
      ),
    ]);
  });
});

describe('a name that is no property', () => {
  const said = (properties: Record<string, string>, topic = false) => {
    const section = topic ? { topics: { t: { properties } } } : { properties };
    const { error } = brokerSection.safeParse(section);
    return error?.issues.map(({ message }) => message).join('\n') ?? '';
  };

  it.each([
    ['log.cleanup.interval.mins', /did you mean "log\.retention\.check\.interval\.ms" \(in mill/],
    ['log.retention.days', /did you mean "log\.retention\.hours" \(in hours\)\?$/],
    ['log.file.size', /did you mean "log\.segment\.bytes"\?$/],
    ['retention.ms', /did you mean "log\.retention\.ms" \(retention\.ms is a topic's\)\?$/],
    ['max.message.bytes', /did you mean "message\.max\.bytes"/],
    ['segment.index.bytes', /did you mean "log\.index\.size\.max\.bytes"/],
    ['retention.check.interval.ms', /did you mean "log\.retention\.check\.interval\.ms"\?$/],
    ['num.partition', /did you mean "num\.partitions"\?$/],
    ['num.io.threads', /has no meaning here: this broker works on one thread$/],
    ['zookeeper.connection.timeout.ms', /needs no ZooKeeper$/],
    ['sasl.enabled.mechanisms', /neither TLS nor SASL yet$/],
    ['unclean.leader.election.enable', /no replication yet$/],
    ['transaction.state.log.min.isr', /no transactions yet$/],
    ['offsets.retention.ms', /did you mean "offsets\.retention\.minutes" \(in minutes\)\?$/],
    ['entirely.made.up.by.somebody', /^is not a known property$/],
  ])('of the broker: %s', (name, expected) => {
    expect(said({ [name]: '1' })).toMatch(expected);
  });

  it.each([
    ['log.retention.hours', /did you mean "retention\.ms" \(in milliseconds\)\?$/],
    ['message.max.bytes', /did you mean "max\.message\.bytes"\?$/],
    ['log.file.size', /did you mean "segment\.bytes"\?$/],
    ['num.partitions', /set broker\.properties\.num\.partitions$/],
    ['retention.time.ms', /did you mean "retention\.ms"\?$/],
  ])('of a topic: %s', (name, expected) => {
    expect(said({ [name]: '1' }, true)).toMatch(expected);
  });

  it('what earlier names point to is there, and none of them is a property', () => {
    for (const [earlier, { name }] of renamed) {
      expect(brokerProperties.has(name), name).toBe(true);
      expect(brokerProperties.has(earlier), earlier).toBe(false);
    }
    for (const name of brokerProperties.keys()) {
      expect(
        brokerPropertyProblems({ [name]: 'x' })
          .map(({ text }) => text)
          .join(),
        name,
      ).not.toMatch(/is not a known property|has no meaning here/);
    }
  });
});
