import { describe, expect, it } from 'vitest';
import { Consumer } from '../../../client/consumer/index.js';
import { Producer } from '../../../client/producer/index.js';
import { loadCodec } from '../../../protocol/records/index.js';
import { bootstrap, startBroker, withBroker } from '../on-broker.js';

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

describe('a producer and our broker', () => {
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
