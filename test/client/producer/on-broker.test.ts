import { describe, expect, it } from 'vitest';
import { Broker } from '../../../broker/index.js';
import { Consumer } from '../../../client/consumer/index.js';
import { Producer, type ProducerOptions } from '../../../client/producer/index.js';
import { type Codec, loadCodec } from '../../../protocol/records/index.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { bootstrap, startBroker, withBroker } from '../on-broker.js';

const HOUR = 3_600_000;

const values = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `line ${from + i}`);

/** All values of a topic's first partition, read by our own consumer. */
async function read(
  sim: Awaited<ReturnType<typeof withBroker>>['sim'],
  topic: string,
  count: number,
): Promise<string[]> {
  const consumer = new Consumer({ bootstrap, autoOffsetReset: 'earliest' }, sim.process('reader'));
  const assigned = consumer.assign([{ topic, partition: 0 }]);
  const found: string[] = [];
  await sim.run(async () => {
    await assigned;
    for await (const batch of consumer.batches()) {
      const cursor = batch.cursor();
      while (cursor.next()) found.push(String(cursor.value()));
      if (found.length >= count) break;
    }
    await consumer.close();
  });
  return found;
}

/** One batch of records whose clock was set in the middle; the topic takes an hour, no more. */
async function sendAroundAStep(compression: Codec, options: Partial<ProducerOptions>) {
  await loadCodec(compression);
  const sim = createSimSystem({ seed: 1 });
  const listeners = [{ listen: { host: '127.0.0.1', port: 9092 } }];
  const properties = { 'log.message.timestamp.before.max.ms': HOUR };
  const topics = { t: { partitions: 1 } };
  const started = { dataDir: '/data', listeners, topics, properties };
  await sim.run(Broker.start(started, sim.process('broker')));
  const client = sim.process('client');
  const producer = new Producer({ bootstrap, compression, lingerMs: 10, ...options }, client);
  const now = client.clock.now();
  const times = [now + 3 * HOUR, now, now - 3 * HOUR, now, now];
  const sends = times.map((timestamp, i) =>
    producer.send({
      topic: 't',
      key: `key ${i}`,
      value: `line ${i}`,
      timestamp,
      headers: { h: 'x' },
    }),
  );
  const results = await sim.run(Promise.allSettled(sends));
  return { sim, now, results };
}

describe('a producer and our broker', () => {
  it('fail alone what has a time that the topic does not take', async () => {
    const { sim, results } = await sendAroundAStep('lz4', {});
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([
      false,
      true,
      false,
      true,
      true,
    ]);
    expect(results[0]).toMatchObject({ reason: { code: 'REFUSED' } });
    expect(String((results[0] as PromiseRejectedResult).reason)).toContain('INVALID_TIMESTAMP');
    expect(await read(sim, 't', 3)).toEqual(['line 1', 'line 3', 'line 4']);
  });

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'write it with the present time where it is no more than a clock’s, %s',
    async (compression) => {
      for (const idempotent of [true, false]) {
        const { sim, now, results } = await sendAroundAStep(compression, {
          ...{ idempotent, restampsWhenRefused: true },
        });
        expect(results.map(({ status }) => status)).toEqual(results.map(() => 'fulfilled'));
        const told = results.map((one) => one.status === 'fulfilled' && one.value.timestamp);
        const consumer = new Consumer({ bootstrap }, sim.process('reader'));
        const assigned = consumer.assign([{ topic: 't', partition: 0, position: 'beginning' }]);
        const found: unknown[] = [];
        await sim.run(async () => {
          await assigned;
          for await (const batch of consumer.batches()) {
            const cursor = batch.cursor();
            while (cursor.next()) {
              const { timestamp } = cursor;
              const isNow = Math.abs(timestamp - now) < 10_000;
              const isTold = timestamp === told[found.length];
              const times = [isNow, isTold];
              found.push([String(cursor.key()), String(cursor.value()), cursor.headers(), times]);
            }
            if (found.length >= 5) break;
          }
          await consumer.close();
        });
        const header = ['h', Buffer.from('x')];
        expect(found).toEqual(
          results.map((_, i) => [`key ${i}`, `line ${i}`, [header], [true, true]]),
        );
      }
    },
  );

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('agree, %s', async (compression) => {
    // Real work does not wait for virtual time: the codec is loaded before.
    await loadCodec(compression);
    const { sim } = await withBroker({ t: { partitions: 1 } });
    const producer = new Producer(
      { bootstrap, compression, batchBytes: 2000 },
      sim.process('client'),
    );
    const sent = values(500);
    const results = await sim.run(producer.send(sent.map((value) => ({ topic: 't', value }))));
    expect(results.map(({ offset }) => offset)).toEqual(sent.map((_, index) => index));
    expect(await read(sim, 't', 500)).toEqual(sent);
    await sim.run(producer.close());
  });

  it('exactly once and in order over a network that breaks', async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const { sim } = await withBroker({ t: { partitions: 1 } }, seed);
      const producer = new Producer(
        { bootstrap, batchBytes: 500, requestTimeoutMs: 1000, retryBackoffMs: 10 },
        sim.process('client'),
      );
      sim.network.dropProbability = 0.02;
      const sent = values(400);
      await sim.run(Promise.all(sent.map((value) => producer.send({ topic: 't', value }))));
      sim.network.dropProbability = 0;
      expect(await read(sim, 't', 400), `seed ${seed}`).toEqual(sent);
    }
  });

  it('exactly once and in order while the broker is killed and started again', async () => {
    const { sim } = await withBroker({ t: { partitions: 1 } }, 5);
    const producer = new Producer(
      { bootstrap, batchBytes: 500, requestTimeoutMs: 2000 },
      sim.process('client'),
    );
    const sent: string[] = [];
    const all: Promise<unknown>[] = [];
    for (let round = 0; round < 5; round++) {
      const next = values(100, sent.length);
      sent.push(...next);
      all.push(...next.map((value) => producer.send({ topic: 't', value })));
      await sim.advance(20 + round * 7);
      sim.process('broker').kill();
      await sim.advance(300);
      await startBroker(sim);
    }
    await sim.run(Promise.all(all));
    expect(await read(sim, 't', sent.length)).toEqual(sent);
  });
});
