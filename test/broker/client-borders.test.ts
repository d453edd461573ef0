import { describe, expect, it } from 'vitest';
import { Admission, addressOf, parseOverrides } from '../../broker/admission.js';
import { Descriptors } from '../../broker/descriptors.js';
import {
  ApiVersions,
  CreatePartitions,
  CreateTopics,
  DeleteTopics,
  DescribeConfigs,
  DescribeGroups,
  ErrorCode,
  encodeRequest,
  Fetch,
  IncrementalAlterConfigs,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
} from '../../protocol/index.js';
import { batchOf, inWorld } from './world.js';

const OFFSETS = '__consumer_offsets';

describe('what clients may not do to __consumer_offsets', () => {
  it('alter, grow, make, delete or write it; the offsets stay', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const refused = ErrorCode.INVALID_TOPIC_EXCEPTION;
      const topic = { name: OFFSETS, numPartitions: 1, replicationFactor: 1 };
      const body = { topics: [{ ...topic, assignments: [], configs: [] }], timeoutMs: 1000 };
      const created = await client.ask(CreateTopics, body, 5);
      expect(created.topics[0]?.errorCode).toBe(refused);
      const partition = { partitionIndex: 0, committedOffset: 4, committedMetadata: 'm' };
      const topics = [{ name: 'logs', partitions: [partition] }];
      await client.ask(OffsetCommit, { groupId: 'g', topics }, 8);
      const configs = [{ name: 'retention.ms', configOperation: 0, value: '1' }];
      const resources = [{ resourceType: 2, resourceName: OFFSETS, configs }];
      const altered = await client.ask(IncrementalAlterConfigs, { resources, validateOnly: false });
      expect(altered.responses[0]?.errorCode).toBe(refused);
      const grown = [{ name: OFFSETS, count: 60, assignments: null }];
      const growth = { topics: grown, timeoutMs: 1000, validateOnly: false };
      expect((await client.ask(CreatePartitions, growth)).results[0]?.errorCode).toBe(refused);
      const gone = await client.ask(DeleteTopics, { topicNames: [OFFSETS], timeoutMs: 1000 }, 5);
      expect(gone.responses[0]?.errorCode).toBe(refused);
      expect((await client.produce(OFFSETS, 0, batchOf(['x']))).errorCode).toBe(refused);
      const wanted = [{ name: 'logs', partitionIndexes: [0] }];
      const kept = await client.ask(OffsetFetch, { groupId: 'g', topics: wanted }, 7);
      expect(kept.topics[0]?.partitions[0]?.committedOffset).toBe(4);
    }));
});

describe('what a request names again and again', () => {
  const times = 2000;

  it('is answered once, so that a small request has no huge answer', () =>
    inWorld({ topics: { logs: { partitions: 50 } } }, async ({ connect }) => {
      const client = await connect();
      const many = <T>(element: T) => Array.from({ length: times }, () => element);
      const { topics } = await client.ask(Metadata, { topics: many({ name: 'logs' }) }, 9);
      expect(topics.map(({ partitions }) => partitions.length)).toEqual([50]);
      const resource = { resourceType: 2, resourceName: 'logs', configurationKeys: null };
      const configs = await client.ask(DescribeConfigs, { resources: many(resource) });
      expect(configs.results).toHaveLength(1);
      const { groups } = await client.ask(DescribeGroups, { groups: many('g') });
      expect(groups).toHaveLength(1);
      const wanted = { groups: many({ groupId: 'g', topics: null }) };
      expect((await client.ask(OffsetFetch, wanted, 8)).groups).toHaveLength(1);
    }));

  it('is not looked up by time as often: ListOffsets refuses it, as in Kafka', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      await client.produce('logs', 0, batchOf(['x'], { timestamp: 7 }));
      await client.produce('logs', 1, batchOf(['y'], { timestamp: 7 }));
      const one = { partitionIndex: 0, timestamp: 7 };
      const partitions = [
        ...Array.from({ length: times }, () => one),
        { ...one, partitionIndex: 1 },
      ];
      const body = { replicaId: -1, topics: [{ name: 'logs', partitions }] };
      const answer = await client.ask(ListOffsets, body, 5);
      const codes = answer.topics[0]?.partitions.map(({ errorCode }) => errorCode);
      const refused = Array.from({ length: times }, () => ErrorCode.INVALID_REQUEST);
      expect(codes).toEqual([...refused, ErrorCode.NONE]);
    }));
});

describe('answers as Kafka gives them', () => {
  it.each([-7, -100, -(2 ** 53)])('ListOffsets knows no time that is called %i', (timestamp) =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const partitions = [{ partitionIndex: 0, timestamp }];
      const body = { replicaId: -1, topics: [{ name: 'logs', partitions }] };
      const answer = await client.ask(ListOffsets, body, 5);
      const { UNSUPPORTED_VERSION: errorCode } = ErrorCode;
      expect(answer.topics[0]?.partitions[0]).toMatchObject({ errorCode, offset: -1 });
    }),
  );

  it('Metadata says which names are none', () =>
    inWorld({ properties: { 'auto.create.topics.enable': 'false' } }, async ({ connect }) => {
      const client = await connect();
      const names = ['a b', '..', 'x'.repeat(250), 'missing'];
      const body = { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false };
      const { topics } = await client.ask(Metadata, body, 9);
      const invalid = ErrorCode.INVALID_TOPIC_EXCEPTION;
      expect(topics.map(({ errorCode }) => errorCode)).toEqual([
        ...[invalid, invalid, invalid, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      ]);
    }));

  it('DescribeConfigs with an empty list of keys tells all', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const ask = async (configurationKeys: string[] | null) => {
        const resources = [{ resourceType: 2, resourceName: 'logs', configurationKeys }];
        const { results } = await client.ask(DescribeConfigs, { resources });
        return results[0]?.configs.map(({ name }) => name) ?? [];
      };
      const all = await ask(null);
      expect(all).toContain('max.message.bytes');
      expect(new Set(all).size).toBe(all.length);
      expect(await ask([])).toEqual(all);
      expect(await ask(['retention.ms'])).toEqual(['retention.ms']);
    }));

  it.each([
    [12, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    [13, ErrorCode.UNKNOWN_TOPIC_ID],
  ])('a long poll v%i on a topic that is deleted hears of it at once', (version, code) =>
    inWorld({}, async ({ connect, sim }) => {
      const [reader, admin] = [await connect(), await connect()];
      const { topics } = await admin.ask(Metadata, { topics: [{ name: 'logs' }] });
      const topicId = topics[0]?.topicId ?? '';
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }];
      const named = version < 13 ? { topic: 'logs' } : { topicId };
      const body = { maxWaitMs: 500_000, minBytes: 1, topics: [{ ...named, partitions }] };
      const polled = reader.ask(Fetch, body, version);
      await sim.process('client').clock.sleep(50);
      await admin.ask(DeleteTopics, { topicNames: ['logs'], timeoutMs: 1000 }, 5);
      expect((await polled).responses[0]?.partitions[0]?.errorCode).toBe(code);
      expect(sim.now).toBeLessThan(100_000);
    }),
  );
});

describe('connections are limited', () => {
  const limits = { total: 3, perAddress: 2, overrides: new Map([['10.0.0.9', 1]]) };

  it('in all and by address', () => {
    const admission = new Admission(limits, () => false);
    expect(['a', 'a', 'a'].map((each) => admission.enter(each))).toEqual([
      ...[undefined, undefined, 'max.connections.per.ip'],
    ]);
    expect(admission.enter('10.0.0.9')).toBeUndefined();
    expect(admission.enter('b')).toBe('max.connections');
    admission.leave('a');
    expect(admission.enter('10.0.0.9')).toBe('max.connections.per.ip');
    expect(admission.enter('b')).toBeUndefined();
  });

  it('by descriptors too', () => {
    expect(new Admission(limits, () => true).enter('a')).toBe('descriptors');
    let open = 10;
    const disk = {
      listSync: () => Array.from({ length: open }, String),
      readFileSync: () => Buffer.from('Max open files            100    200    files\n'),
    };
    const descriptors = new Descriptors(disk, { monotonic: () => 0 });
    expect(descriptors.isShort()).toBe(false);
    // It counts those that come meanwhile, and looks again before the ceiling.
    for (let i = 0; i < 100; i++, open++) if (descriptors.isShort()) break;
    expect(open).toBe(75);
    open = 20;
    expect(descriptors.isShort()).toBe(false);
  });

  it('addresses are told from their ports, and overrides read', () => {
    expect(addressOf('::ffff:10.0.0.1:55')).toBe('10.0.0.1');
    expect(addressOf('::1:9092')).toBe('::1');
    expect(parseOverrides('10.0.0.1:5, ::1:7')).toEqual(
      new Map([
        ['10.0.0.1', 5],
        ['::1', 7],
      ]),
    );
    expect(parseOverrides('somewhere:x')).toBeUndefined();
  });

  it('the newest is closed at once, the others are served', () =>
    inWorld({ properties: { 'max.connections': '2' } }, async ({ connect, client }) => {
      const [first, second] = [await connect(), await connect()];
      const third = await connect();
      await third.closed;
      expect((await first.ask(ApiVersions, {})).errorCode).toBe(0);
      second.connection.destroy();
      await client.clock.sleep(100);
      const fourth = await connect();
      expect((await fourth.ask(ApiVersions, {})).errorCode).toBe(0);
    }));
});

describe('memory', () => {
  it('consumers that do not read get less and less, all together no more than the budget', () =>
    inWorld({ properties: { 'queued.max.request.bytes': '4000000' } }, async (world) => {
      const { connect, client } = world;
      const writer = await connect();
      const value = 'x'.repeat(100_000);
      for (let i = 0; i < 30; i++) await writer.produce('logs', 0, batchOf([value]));
      const sizes: number[] = [];
      const asked = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const reader = await connect();
          const options = { partitionMaxBytes: 3_000_000, maxBytes: 3_000_000 };
          return async () => {
            sizes.push((await reader.fetch('logs', 0, 0, options)).records.length);
          };
        }),
      );
      await Promise.all(asked.map((ask) => ask()));
      // Each gets one batch at least, or it could never go on.
      expect(Math.min(...sizes)).toBeGreaterThan(100_000);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000_000);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      expect(total).toBeLessThan(4_000_000 + 20 * 101_000);
      // What they have read is free again.
      await client.clock.sleep(1000);
      const reader = await connect();
      const { records } = await reader.fetch('logs', 0, 0, {
        partitionMaxBytes: 3_000_000,
        maxBytes: 3_000_000,
      });
      expect(records.length).toBeGreaterThan(800_000);
    }));

  it('a request of a million tiny entries, or of many megabytes without records, is refused', () =>
    inWorld({}, async ({ connect }) => {
      for (const count of [300_000, 9_000_000]) {
        const evil = await connect();
        const topics = Buffer.alloc(2 * count);
        const [head] = encodeRequest(Metadata, 0, 1, 'x', { topics: [] }) as [Buffer];
        const frame = Buffer.concat([head, topics]);
        frame.writeInt32BE(frame.length - 4, 0);
        frame.writeInt32BE(count, head.length - 4);
        evil.connection.write([frame]);
        await evil.closed;
      }
      const other = await connect();
      expect((await other.ask(ApiVersions, {})).errorCode).toBe(0);
    }));
});
