import { describe, expect, it } from 'vitest';
import {
  CreatePartitions,
  CreateTopics,
  DeleteTopics,
  DescribeCluster,
  DescribeConfigs,
  ErrorCode,
  IncrementalAlterConfigs,
  InitProducerId,
  ListOffsets,
  Metadata,
  OffsetForLeaderEpoch,
} from '../../protocol/index.js';
import { batchOf, inWorld, RawClient, valuesOf } from './world.js';

const TOPIC = 2;
const BROKER = 4;

const newTopic = (name: string, more: object = {}) => ({
  ...{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
  ...more,
});

async function create(client: RawClient, topic: ReturnType<typeof newTopic>, validateOnly = false) {
  const { topics } = await client.ask(CreateTopics, { topics: [topic], validateOnly });
  const [answer] = topics;
  if (answer === undefined) throw new Error('no topic in the answer');
  return answer;
}

async function topicNames(client: RawClient): Promise<(string | null)[]> {
  return (await client.ask(Metadata, { topics: null })).topics.map(({ name }) => name);
}

describe('Metadata', () => {
  it.each(Array.from({ length: 14 }, (_, i) => i))('v%i', (version) =>
    inWorld({}, async ({ broker, connect }) => {
      const client = await connect();
      const all = version === 0 ? [] : null;
      const answer = await client.ask(Metadata, { topics: all }, version);
      expect(answer.brokers).toEqual([
        { nodeId: 1, host: '127.0.0.1', port: broker.port, rack: null },
      ]);
      const [topic] = answer.topics;
      expect(topic).toMatchObject({ name: 'logs', errorCode: 0, isInternal: false });
      expect(
        topic?.partitions.map(({ leaderId, replicaNodes }) => [leaderId, ...replicaNodes]),
      ).toEqual([
        [1, 1],
        [1, 1],
      ]);
      if (version >= 2) expect(answer.clusterId).toBe(broker.clusterId);
      if (version >= 10) expect(topic?.topicId).toMatch(/^[\w-]{22}$/);
    }),
  );

  it('finds topics by id', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const { topicId } = (await client.ask(Metadata, { topics: null })).topics[0] ?? {};
      const asked = [
        { topicId, name: null },
        { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', name: null },
      ];
      const { topics } = await client.ask(Metadata, {
        topics: asked as { topicId: string; name: null }[],
      });
      expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
        ['logs', 0],
        [null, ErrorCode.UNKNOWN_TOPIC_ID],
      ]);
    }));

  it('creates a topic that is asked for, once, with num.partitions', () =>
    inWorld({ properties: { 'num.partitions': 3 } }, async ({ connect }) => {
      const clients = await Promise.all([connect(), connect()]);
      const asked = clients.map((client) => client.ask(Metadata, { topics: [{ name: 'new' }] }));
      const ids = (await Promise.all(asked)).map(({ topics }) => {
        expect(topics[0]).toMatchObject({ errorCode: 0 });
        expect(topics[0]?.partitions).toHaveLength(3);
        return topics[0]?.topicId;
      });
      expect(ids[0]).toBe(ids[1]);
      expect((await clients[0]!.produce('new', 2, batchOf(['x']))).errorCode).toBe(0);
    }));

  it('but not where the client or auto.create.topics.enable says no, or the name is none', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const asked = { topics: [{ name: 'new' }], allowAutoTopicCreation: false };
      const { topics } = await client.ask(Metadata, asked);
      expect(topics[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      const bad = await client.ask(Metadata, { topics: [{ name: 'a/b' }] });
      expect(bad.topics[0]?.errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION);
      expect(await topicNames(client)).toEqual(['logs']);
    }));

  it('with auto.create.topics.enable=false', () =>
    inWorld({ properties: { 'auto.create.topics.enable': false } }, async ({ connect }) => {
      const client = await connect();
      const { topics } = await client.ask(Metadata, { topics: [{ name: 'new' }] });
      expect(topics[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }));

  it('tells what each listener advertises', () => {
    const advertise = { host: 'kafka.example', port: 19092 };
    const listeners = [
      { listen: { host: '127.0.0.1', port: 9092 } },
      { listen: { host: '127.0.0.1', port: 9093 }, advertise },
    ];
    return inWorld({ listeners }, async ({ connect, client: process }) => {
      const direct = await connect();
      expect((await direct.ask(Metadata, { topics: [] })).brokers[0]).toMatchObject({ port: 9092 });
      const other = await RawClient.connect(process, 9093);
      const cluster = { includeClusterAuthorizedOperations: false };
      expect((await other.ask(Metadata, { topics: [] })).brokers[0]).toMatchObject(advertise);
      expect((await other.ask(DescribeCluster, cluster)).brokers[0]).toMatchObject(advertise);
    });
  });
});

describe('CreateTopics', () => {
  it('creates; the topic takes records at once', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const configs = [{ name: 'retention.ms', value: '1000' }];
      const answer = await create(client, newTopic('app', { numPartitions: 2, configs }));
      expect(answer).toMatchObject({ errorCode: 0, numPartitions: 2, replicationFactor: 1 });
      const retention = answer.configs?.find(({ name }) => name === 'retention.ms');
      expect(retention).toMatchObject({ value: '1000', configSource: 1 });
      expect((await client.produce('app', 1, batchOf(['x']))).errorCode).toBe(0);
    }));

  it.each([
    ['one that exists', newTopic('logs'), 'TOPIC_ALREADY_EXISTS'],
    ['a bad name', newTopic('a b'), 'INVALID_TOPIC_EXCEPTION'],
    ['no name', newTopic(''), 'INVALID_TOPIC_EXCEPTION'],
    ['..', newTopic('..'), 'INVALID_TOPIC_EXCEPTION'],
    ['a long name', newTopic('x'.repeat(250)), 'INVALID_TOPIC_EXCEPTION'],
    ['no partitions', newTopic('a', { numPartitions: 0 }), 'INVALID_PARTITIONS'],
    ['too many partitions', newTopic('a', { numPartitions: 2 ** 31 - 1 }), 'INVALID_PARTITIONS'],
    ['two replicas', newTopic('a', { replicationFactor: 2 }), 'INVALID_REPLICATION_FACTOR'],
    [
      'an unknown property',
      newTopic('a', { configs: [{ name: 'retention.s', value: '1' }] }),
      'INVALID_CONFIG',
    ],
    [
      'a bad value',
      newTopic('a', { configs: [{ name: 'retention.ms', value: '1h' }] }),
      'INVALID_CONFIG',
    ],
    [
      'another broker',
      newTopic('a', {
        ...{ numPartitions: -1, replicationFactor: -1 },
        assignments: [{ partitionIndex: 0, brokerIds: [2] }],
      }),
      'INVALID_REPLICA_ASSIGNMENT',
    ],
  ] as const)('refuses %s', (_, topic, code) =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const answer = await create(client, topic);
      expect(answer.errorCode).toBe(ErrorCode[code]);
      expect(answer.errorMessage).toBeTruthy();
      expect(await topicNames(client)).toEqual(['logs']);
    }),
  );

  it('refuses names that collide and names given twice; only validates where asked', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      expect((await create(client, newTopic('a.b'), true)).errorCode).toBe(0);
      expect(await topicNames(client)).toEqual(['logs']);
      expect((await create(client, newTopic('a.b'))).errorCode).toBe(0);
      expect((await create(client, newTopic('a_b'))).errorCode).toBe(
        ErrorCode.INVALID_TOPIC_EXCEPTION,
      );
      const { topics } = await client.ask(CreateTopics, { topics: [newTopic('z'), newTopic('z')] });
      const codes = topics.map(({ errorCode }) => errorCode);
      expect(codes).toEqual([ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST]);
    }));
});

describe('DeleteTopics', () => {
  it('deletes by name and by id; a new topic of the name has another id and is empty', () =>
    inWorld({}, async ({ connect, sim }) => {
      const client = await connect();
      await client.produce('logs', 0, batchOf(['old']));
      const before = (await client.ask(Metadata, { topics: null })).topics[0]?.topicId;
      const { responses } = await client.ask(DeleteTopics, {
        topics: [{ topicId: before as string }],
        timeoutMs: 1,
      });
      expect(responses[0]).toMatchObject({ name: 'logs', errorCode: 0 });
      expect((await client.fetch('logs', 0, 0)).errorCode).toBe(
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      );
      expect((await create(client, newTopic('logs'))).errorCode).toBe(0);
      expect((await client.fetch('logs', 0, 0)).highWatermark).toBe(0);
      const after = (await client.ask(Metadata, { topics: null })).topics[0]?.topicId;
      expect(after).not.toBe(before);
      // The files go after file.delete.delay.ms.
      const list = () => sim.process('broker').disk.listSync('/data');
      expect(list().filter((name) => name.endsWith('-delete'))).toHaveLength(2);
      await sim.process('client').clock.sleep(61_000);
      expect(list().filter((name) => name.startsWith('logs'))).toEqual(['logs-0']);
      const old = await client.ask(
        DeleteTopics,
        { topicNames: ['logs', 'nowhere'], timeoutMs: 1 },
        3,
      );
      expect(old.responses.map(({ errorCode }) => errorCode)).toEqual([
        0,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ]);
    }));

  it('takes a name that is given, be it empty, and looks at no id beside it', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const id = (await client.ask(Metadata, { topics: null })).topics[0]?.topicId as string;
      const { responses } = await client.ask(DeleteTopics, {
        topics: [
          { name: '', topicId: id },
          { name: 'nowhere', topicId: id },
        ],
        timeoutMs: 1,
      });
      const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      expect(responses).toMatchObject([
        { name: '', topicId: id, errorCode },
        { name: 'nowhere', topicId: id, errorCode },
      ]);
      expect((await client.ask(Metadata, { topics: null })).topics[0]?.name).toBe('logs');
    }));

  it('wakes who waits for its records', () =>
    inWorld({}, async ({ connect, sim }) => {
      const [reader, admin] = [await connect(), await connect()];
      const waiting = reader.fetch('logs', 0, 0, { maxWaitMs: 3_600_000 });
      await sim.process('client').clock.sleep(50);
      await admin.ask(DeleteTopics, { topics: [{ name: 'logs' }], timeoutMs: 1 });
      expect((await waiting).records).toHaveLength(0);
      expect(sim.now).toBeLessThan(1000);
    }));

  it('is switched off by delete.topic.enable', () =>
    inWorld({ properties: { 'delete.topic.enable': false } }, async ({ connect }) => {
      const client = await connect();
      const { responses } = await client.ask(DeleteTopics, {
        topics: [{ name: 'logs' }],
        timeoutMs: 1,
      });
      expect(responses[0]?.errorCode).toBe(ErrorCode.TOPIC_DELETION_DISABLED);
    }));
});

describe('CreatePartitions', () => {
  it('grows a topic, never shrinks it', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const grow = async (name: string, count: number, validateOnly = false) => {
        const topics = [{ name, count, assignments: null }];
        const answer = await client.ask(CreatePartitions, { topics, timeoutMs: 1, validateOnly });
        return answer.results[0]?.errorCode;
      };
      expect(await grow('logs', 3, true)).toBe(0);
      expect(await grow('logs', 4)).toBe(0);
      expect((await client.produce('logs', 3, batchOf(['x']))).errorCode).toBe(0);
      expect(await grow('logs', 4)).toBe(ErrorCode.INVALID_PARTITIONS);
      expect(await grow('logs', 2 ** 30)).toBe(ErrorCode.INVALID_PARTITIONS);
      expect(await grow('nowhere', 4)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }));
});

describe('configs', () => {
  const resource = { resourceType: TOPIC, resourceName: 'logs' };
  const alter = async (
    client: RawClient,
    name: string,
    configOperation: number,
    value: string | null,
  ) => {
    const configs = [{ name, configOperation, value }];
    const body = { resources: [{ ...resource, configs }], validateOnly: false };
    return (await client.ask(IncrementalAlterConfigs, body)).responses[0];
  };
  const read = async (client: RawClient, key: string) => {
    const resources = [{ ...resource, configurationKeys: [key] }];
    const answer = await client.ask(DescribeConfigs, { resources, includeSynonyms: true });
    return answer.results[0]?.configs[0];
  };

  it('are set, described with where they come from, and deleted', () =>
    inWorld({ properties: { 'log.retention.hours': 2 } }, async ({ connect }) => {
      const client = await connect();
      expect(await read(client, 'retention.ms')).toMatchObject({
        value: '7200000',
        configSource: 4,
      });
      expect((await alter(client, 'retention.ms', 0, '5'))?.errorCode).toBe(0);
      const set = await read(client, 'retention.ms');
      expect(set).toMatchObject({ value: '5', configSource: 1, configType: 5, readOnly: false });
      expect(set?.synonyms).toEqual([
        { name: 'retention.ms', value: '5', source: 1 },
        { name: 'log.retention.hours', value: '2', source: 4 },
        { name: 'log.retention.hours', value: '168', source: 5 },
      ]);
      expect((await alter(client, 'retention.ms', 1, null))?.errorCode).toBe(0);
      expect(await read(client, 'retention.ms')).toMatchObject({ value: '7200000' });
    }));

  it('take effect at once', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const large = () => batchOf(['x'.repeat(500)]);
      await alter(client, 'max.message.bytes', 0, '200');
      expect((await client.produce('logs', 0, large())).errorCode).toBe(
        ErrorCode.MESSAGE_TOO_LARGE,
      );
      await alter(client, 'max.message.bytes', 0, '2000');
      expect((await client.produce('logs', 0, large())).errorCode).toBe(0);
    }));

  it('lists are appended to and subtracted from', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      await alter(client, 'cleanup.policy', 2, 'compact');
      expect(await read(client, 'cleanup.policy')).toMatchObject({ value: 'delete,compact' });
      await alter(client, 'cleanup.policy', 3, 'delete');
      expect(await read(client, 'cleanup.policy')).toMatchObject({ value: 'compact' });
      const bad = await alter(client, 'retention.ms', 2, '1');
      expect(bad?.errorCode).toBe(ErrorCode.INVALID_CONFIG);
    }));

  it('of the broker are described but not altered', () =>
    inWorld({ properties: { 'num.partitions': 7 } }, async ({ connect }) => {
      const client = await connect();
      const broker = { resourceType: BROKER, resourceName: '1' };
      const keys = ['num.partitions', 'log.retention.hours'];
      const answer = await client.ask(DescribeConfigs, {
        resources: [{ ...broker, configurationKeys: keys }],
      });
      const values = answer.results[0]?.configs.map(({ name, value, configSource }) => [
        ...[name, value, configSource],
      ]);
      expect(values).toEqual([
        ['log.retention.hours', '168', 5],
        ['num.partitions', '7', 4],
      ]);
      const configs = [{ name: 'num.partitions', configOperation: 0, value: '1' }];
      const body = { resources: [{ ...broker, configs }], validateOnly: false };
      const { responses } = await client.ask(IncrementalAlterConfigs, body);
      expect(responses[0]?.errorCode).toBe(ErrorCode.INVALID_REQUEST);
    }));
});

describe('offsets and epochs', () => {
  const lookUp = async (client: RawClient, timestamp: number, version = 11) => {
    const topics = [{ name: 'logs', partitions: [{ partitionIndex: 0, timestamp }] }];
    const body = { replicaId: -1, isolationLevel: 0, topics };
    return (await client.ask(ListOffsets, body, version)).topics[0]?.partitions[0];
  };

  it('ListOffsets finds the start, the end, a time and the largest time', () =>
    inWorld({}, async ({ connect, sim }) => {
      const client = await connect();
      const now = sim.process('client').clock.now();
      for (const delta of [0, 3000, 1000]) {
        await client.produce('logs', 0, batchOf([`at ${delta}`], { timestamp: now + delta }));
      }
      expect(await lookUp(client, -1)).toMatchObject({ errorCode: 0, offset: 3, timestamp: -1 });
      expect(await lookUp(client, -2)).toMatchObject({ offset: 0 });
      expect(await lookUp(client, -3)).toMatchObject({ offset: 1, timestamp: now + 3000 });
      expect(await lookUp(client, now + 1)).toMatchObject({ offset: 1, timestamp: now + 3000 });
      expect(await lookUp(client, now)).toMatchObject({
        offset: 0,
        timestamp: now,
        leaderEpoch: 0,
      });
      expect(await lookUp(client, now + 9000)).toMatchObject({ offset: -1, timestamp: -1 });
      for (let version = 1; version <= 11; version++) {
        expect(await lookUp(client, -1, version)).toMatchObject({ offset: 3 });
      }
    }));

  it('OffsetForLeaderEpoch tells where an epoch ends', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      await client.produce('logs', 0, batchOf(['a', 'b']));
      for (const version of [2, 3, 4]) {
        const partitions = [0, 1].map((partition) => ({ partition, leaderEpoch: 0 }));
        const topics = [
          { topic: 'logs', partitions },
          { topic: 'nowhere', partitions },
        ];
        const answer = await client.ask(OffsetForLeaderEpoch, { replicaId: -1, topics }, version);
        const [known, unknown] = answer.topics;
        expect(known?.partitions[0]).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 2 });
        expect(unknown?.partitions[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      }
    }));

  it('InitProducerId hands out each id once, also after a kill', () =>
    inWorld({}, async ({ connect, sim, restart }) => {
      const init = async (client: RawClient, more: object = {}) => {
        const body = { transactionalId: null, transactionTimeoutMs: 1, ...more };
        return client.ask(InitProducerId, body);
      };
      const client = await connect();
      const ids: number[] = [];
      for (let i = 0; i < 3; i++) ids.push((await init(client)).producerId);
      const next = await init(client, { producerId: ids[0], producerEpoch: 4 });
      expect(next).toMatchObject({ errorCode: 0, producerEpoch: 0 });
      ids.push(next.producerId);
      sim.powerLoss();
      await restart();
      const later = await connect();
      for (let i = 0; i < 3; i++) ids.push((await init(later)).producerId);
      expect(new Set(ids).size).toBe(7);
      const transactional = await init(later, { transactionalId: 'tx' });
      expect(transactional.errorCode).toBe(ErrorCode.INVALID_REQUEST);
    }));
});

describe('records survive', () => {
  it('a clean stop and a kill, with the topics', () =>
    inWorld({}, async (world) => {
      const before = await world.connect();
      await before.produce('logs', 0, batchOf(['one']));
      await world.broker.stop();
      await world.restart();
      const between = await world.connect();
      await between.produce('logs', 0, batchOf(['two']));
      world.sim.process('broker').kill();
      await world.restart();
      const after = await world.connect();
      const values = valuesOf((await after.fetch('logs', 0, 0)).records);
      expect(values).toEqual([
        [0, 'one'],
        [1, 'two'],
      ]);
    }));
});
