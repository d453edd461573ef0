import { describe, expect, it } from 'vitest';
import { ErrorCode, Fetch, Produce } from '../../protocol/index.js';
import { batchesOf } from '../../protocol/records/index.js';
import { stampChecksum } from '../../protocol/records/stamp.js';
import { detach } from '../../system/index.js';
import { batchOf, inWorld, valuesOf } from './world.js';

describe('produce and fetch', () => {
  it('what is produced is fetched, with offsets and leader epoch', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      expect(await client.produce('logs', 0, batchOf(['a', 'b']))).toMatchObject({
        errorCode: 0,
        baseOffset: 0,
        logStartOffset: 0,
      });
      expect(await client.produce('logs', 0, batchOf(['c']))).toMatchObject({ baseOffset: 2 });
      const answer = await client.fetch('logs', 0, 0);
      expect(answer).toMatchObject({ highWatermark: 3, lastStableOffset: 3, logStartOffset: 0 });
      const values = [
        [0, 'a'],
        [1, 'b'],
        [2, 'c'],
      ];
      expect(valuesOf(answer.records)).toEqual(values);
      expect([...batchesOf(answer.records)].map((batch) => batch.partitionLeaderEpoch)).toEqual([
        0, 0,
      ]);
      // The batch that holds the offset comes whole, from its start.
      expect(valuesOf((await client.fetch('logs', 0, 1)).records)).toEqual(values);
      expect(valuesOf((await client.fetch('logs', 1, 0)).records)).toEqual([]);
    }));

  it.each(Array.from({ length: 11 }, (_, i) => i + 3))('Produce v%i with acks 1', (version) =>
    inWorld({}, async ({ broker, connect }) => {
      const client = await connect();
      const topicId = topicIdOf(broker);
      const records = batchOf(['x']);
      const response = await client.ask(
        Produce,
        {
          acks: 1,
          timeoutMs: 10,
          topicData: [
            {
              ...(version >= 13 ? { topicId } : { name: 'logs' }),
              partitionData: [{ index: 1, records }],
            },
          ],
        },
        version,
      );
      const [topic] = response.responses;
      expect(topic?.partitionResponses[0]).toMatchObject({ index: 1, errorCode: 0, baseOffset: 0 });
      expect(version >= 13 ? topic?.topicId : topic?.name).toBe(version >= 13 ? topicId : 'logs');
    }),
  );

  it.each(Array.from({ length: 15 }, (_, i) => i + 4))('Fetch v%i', (version) =>
    inWorld({}, async ({ broker, connect }) => {
      const client = await connect();
      await client.produce('logs', 0, batchOf(['x']));
      const topicId = topicIdOf(broker);
      const named = version >= 13 ? { topicId } : { topic: 'logs' };
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }];
      const body = {
        maxWaitMs: 0,
        minBytes: 1,
        isolationLevel: 1,
        topics: [{ ...named, partitions }],
      };
      const response = await client.ask(Fetch, body, version);
      expect(response.sessionId).toBe(0);
      const records = response.responses[0]?.partitions[0]?.records ?? Buffer.alloc(0);
      expect(valuesOf(records)).toEqual([[0, 'x']]);
    }),
  );

  it('with acks=0 there is no answer, and the records are there', () =>
    inWorld({}, async ({ connect, sim }) => {
      const client = await connect();
      detach(client.produce('logs', 0, batchOf(['quiet']), 0), () => {});
      await sim.process('client').clock.sleep(10);
      const answer = await client.fetch('logs', 0, 0);
      expect(valuesOf(answer.records)).toEqual([[0, 'quiet']]);
      expect(client.answered).toEqual([1]);
    }));

  it('a failure with acks=0 closes the connection', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      detach(client.produce('nowhere', 0, batchOf(['lost']), 0), () => {});
      await client.closed;
    }));
});

function topicIdOf(broker: object): string {
  const { services } = broker as {
    services: { metadata: { image: { topics: Map<string, { id: string }> } } };
  };
  return services.metadata.image.topics.get('logs')?.id ?? '';
}

describe('what produce refuses', () => {
  const corrupt = batchOf(['bad']);
  corrupt[corrupt.length - 1] = (corrupt[corrupt.length - 1] as number) ^ 1;
  const old = Buffer.from(batchOf(['old']));
  old[16] = 1;

  it.each([
    ['a batch whose checksum is wrong', corrupt, 'CORRUPT_MESSAGE'],
    ['a batch that is cut off', batchOf(['short']).subarray(0, -2), 'CORRUPT_MESSAGE'],
    ['message sets of old', old, 'INVALID_RECORD'],
    ['a batch beyond message.max.bytes', batchOf(['x'.repeat(2000)]), 'MESSAGE_TOO_LARGE'],
    ['no records', Buffer.alloc(0), 'INVALID_RECORD'],
  ] as const)('%s', (_, records, code) =>
    inWorld({ properties: { 'message.max.bytes': 1000 } }, async ({ connect }) => {
      const client = await connect();
      const answer = await client.produce('logs', 0, records);
      expect(answer).toMatchObject({ errorCode: ErrorCode[code], baseOffset: -1 });
      expect(answer.errorMessage).toBeTruthy();
      expect(await client.produce('logs', 0, batchOf(['fine']))).toMatchObject({ baseOffset: 0 });
    }),
  );

  it('an unknown topic, partition, topic id, internal topic, acks', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const records = () => batchOf(['x']);
      const code = async (topic: string, index: number, acks = 1) =>
        (await client.produce(topic, index, records(), acks)).errorCode;
      expect(await code('nowhere', 0)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      expect(await code('logs', 2)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      expect(await code('logs', -1)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      expect(await code('logs', 0, 2)).toBe(ErrorCode.INVALID_REQUIRED_ACKS);
      expect(await code('__consumer_offsets', 0)).not.toBe(0);
      const byId = await client.ask(Produce, {
        acks: 1,
        timeoutMs: 1,
        topicData: [
          { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitionData: [{ index: 0, records: records() }] },
        ],
      });
      const answer = byId.responses[0]?.partitionResponses[0];
      expect(answer?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID);
    }));

  it('acks=all where min.insync.replicas cannot be met; acks=1 passes', () =>
    inWorld(
      { topics: { logs: { properties: { 'min.insync.replicas': 2 } } } },
      async ({ connect }) => {
        const client = await connect();
        const refused = await client.produce('logs', 0, batchOf(['x']), -1);
        expect(refused.errorCode).toBe(ErrorCode.NOT_ENOUGH_REPLICAS);
        expect((await client.produce('logs', 0, batchOf(['x']), 1)).errorCode).toBe(0);
      },
    ));

  it('one partition of several, the others are appended', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const partitionData = [
        { index: 0, records: batchOf(['x']) },
        { index: 1, records: corrupt },
      ];
      const topicData = [{ name: 'logs', partitionData }];
      const response = await client.ask(Produce, { acks: 1, timeoutMs: 1, topicData }, 9);
      const codes = response.responses[0]?.partitionResponses.map(({ errorCode }) => errorCode);
      expect(codes).toEqual([0, ErrorCode.CORRUPT_MESSAGE]);
    }));
});

describe('idempotent producers', () => {
  const batch = (baseSequence: number, values = ['v'], producerEpoch = 0) =>
    batchOf(values, { producerId: 9, producerEpoch, baseSequence });

  it('a repeated batch is answered with its first offset and not appended again', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      await client.produce('logs', 0, batchOf(['before']));
      const first = await client.produce('logs', 0, batch(0, ['a', 'b']));
      await client.produce('logs', 0, batch(2));
      const again = await client.produce('logs', 0, batch(0, ['a', 'b']));
      expect(again).toMatchObject({ errorCode: 0, baseOffset: first.baseOffset });
      expect((await client.fetch('logs', 0, 0)).highWatermark).toBe(4);
    }));

  it('a gap, and an epoch that was replaced, are refused', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      await client.produce('logs', 0, batch(0));
      const gap = await client.produce('logs', 0, batch(5));
      expect(gap.errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
      expect((await client.produce('logs', 0, batch(0, ['new'], 1))).errorCode).toBe(0);
      const fenced = await client.produce('logs', 0, batch(1));
      expect(fenced.errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
    }));
});

describe('fetch', () => {
  it('waits for records and is woken by them', () =>
    inWorld({}, async ({ connect, sim }) => {
      const [reader, writer] = [await connect(), await connect()];
      const started = sim.now;
      const waiting = reader.fetch('logs', 0, 0, { maxWaitMs: 10_000 });
      await sim.process('client').clock.sleep(500);
      await writer.produce('logs', 0, batchOf(['news']));
      expect(valuesOf((await waiting).records)).toEqual([[0, 'news']]);
      expect(sim.now - started).toBeLessThan(600);
    }));

  it('waits no longer than max_wait_ms', () =>
    inWorld({}, async ({ connect, sim }) => {
      const client = await connect();
      const started = sim.now;
      const answer = await client.fetch('logs', 0, 0, { maxWaitMs: 300 });
      expect(answer.records).toHaveLength(0);
      expect(sim.now - started).toBeGreaterThanOrEqual(300);
      expect(sim.now - started).toBeLessThan(320);
    }));

  it('waits until min_bytes are there', () =>
    inWorld({}, async ({ connect, sim }) => {
      const [reader, writer] = [await connect(), await connect()];
      const size = batchOf(['x'.repeat(100)]).length;
      let answered = false;
      const waiting = reader
        .fetch('logs', 0, 0, { maxWaitMs: 60_000, minBytes: 2 * size })
        .finally(() => {
          answered = true;
        });
      await writer.produce('logs', 0, batchOf(['x'.repeat(100)]));
      await sim.process('client').clock.sleep(1000);
      expect(answered).toBe(false);
      await writer.produce('logs', 0, batchOf(['x'.repeat(100)]));
      expect((await waiting).records).toHaveLength(2 * size);
    }));

  it('honours partition_max_bytes and max_bytes, but always returns the first batch', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      for (const value of ['a', 'b', 'c']) {
        await client.produce('logs', 0, batchOf([value.repeat(100)]));
        await client.produce('logs', 1, batchOf([value.repeat(100)]));
      }
      const size = batchOf(['a'.repeat(100)]).length;
      const bytes = async (options: object) =>
        (await client.fetch('logs', 0, 0, options)).records.length;
      expect(await bytes({ partitionMaxBytes: 2 * size + 10 })).toBe(2 * size);
      expect(await bytes({ partitionMaxBytes: 1 })).toBe(size);
      expect(await bytes({ maxBytes: 1 })).toBe(size);
      const partitions = [0, 1].map((partition) => ({
        ...{ partition, fetchOffset: 0, partitionMaxBytes: 3 * size },
      }));
      const topics = [{ topic: 'logs', partitions }];
      const body = { maxWaitMs: 0, minBytes: 1, maxBytes: 4 * size, topics };
      const response = await client.ask(Fetch, body, 12);
      const sizes = response.responses[0]?.partitions.map(({ records }) => records?.length);
      expect(sizes).toEqual([3 * size, size]);
    }));

  it('answers errors at once, each partition its own', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      await client.produce('logs', 0, batchOf(['x']));
      const code = async (topic: string, partition: number, offset: number) =>
        (await client.fetch(topic, partition, offset, { maxWaitMs: 60_000 })).errorCode;
      expect(await code('logs', 0, 2)).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
      expect(await code('logs', 0, -1)).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
      expect(await code('logs', 7, 0)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      expect(await code('nowhere', 0, 0)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }));

  it('compares the leader epoch that the client knows', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const partitions = [
        { partition: 0, currentLeaderEpoch: 5, fetchOffset: 0, partitionMaxBytes: 1 },
      ];
      const body = { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 'logs', partitions }] };
      const response = await client.ask(Fetch, body, 12);
      const answer = response.responses[0]?.partitions[0];
      expect(answer?.errorCode).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH);
    }));

  it('declines sessions', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const body = { maxWaitMs: 0, minBytes: 1, topics: [] };
      const opened = await client.ask(Fetch, { ...body, sessionId: 0, sessionEpoch: 0 }, 12);
      expect(opened).toMatchObject({ errorCode: 0, sessionId: 0 });
      const continued = await client.ask(Fetch, { ...body, sessionId: 4, sessionEpoch: 1 }, 12);
      expect(continued.errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    }));
});

it('a request whose batches decompress to more than a process can look at in one turn', () =>
  inWorld({}, async ({ connect }) => {
    const client = await connect();
    const bomb = batchOf(['x'.repeat(1000)], { codec: 'gzip' });
    // What is no gzip counts as much as one batch may have.
    bomb.fill(0, 61, 71);
    stampChecksum(bomb, 0);
    const partitionData = Array.from({ length: 9 }, () => ({ index: 0, records: bomb }));
    const last = { index: 1, records: batchOf(['after'], { codec: 'gzip' }) };
    const topicData = [{ name: 'logs', partitionData: [...partitionData, last] }];
    const body = { acks: -1, timeoutMs: 1000, topicData };
    const { responses } = await client.ask(Produce, body, 12);
    const codes = responses[0]?.partitionResponses.map(({ errorCode }) => errorCode);
    const { INVALID_RECORD, REQUEST_TIMED_OUT } = ErrorCode;
    expect(codes).toEqual([
      ...Array.from({ length: 8 }, () => INVALID_RECORD),
      ...[REQUEST_TIMED_OUT, REQUEST_TIMED_OUT],
    ]);
    expect((await client.produce('logs', 1, last.records)).errorCode).toBe(ErrorCode.NONE);
  }));
