import { describe, expect, it } from 'vitest';
import { defaultLogSettings } from '../../broker/log/index.js';
import {
  brokerPropertyProblems,
  brokerSettings,
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
