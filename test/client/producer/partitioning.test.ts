import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import {
  murmur2,
  type Partitioner,
  Producer,
  partitionOfKey,
} from '../../../client/producer/index.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { fc } from '../../fast-check.js';
import { FakeBroker } from './fake-broker.js';

const require = createRequire(import.meta.url);
const kafkaJsMurmur2 = require('kafkajs/src/producer/partitioners/default/murmur2.js') as (
  key: Buffer,
) => number;

describe('murmur2', () => {
  // From Kafka's own UtilsTest.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %s is what Java says', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash);
  });

  it('agrees with kafkajs on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const key = Buffer.from(bytes);
        expect(murmur2(key)).toBe(kafkaJsMurmur2(key));
        expect(partitionOfKey(key, 7)).toBe((murmur2(key) & 0x7fffffff) % 7);
      }),
    );
  });
});

async function spread(
  partitioner: Partitioner,
  records: readonly { key?: string; value: string; partition?: number }[],
  batchBytes = 4096,
): Promise<string[][]> {
  const sim = createSimSystem({ seed: 11 });
  const broker = await sim.run(
    FakeBroker.listen(sim.process('broker').net, { topics: { wide: 4 } }),
  );
  const producer = new Producer(
    { bootstrap: ['127.0.0.1:9092'], partitioner, batchBytes },
    sim.process('client'),
  );
  await sim.run(producer.send(records.map((record) => ({ topic: 'wide', ...record }))));
  return [0, 1, 2, 3].map((partition) => broker.values('wide', partition) as string[]);
}

const values = Array.from({ length: 400 }, (_, i) => ({ value: `value ${i}` }));
const keyed = Array.from({ length: 400 }, (_, i) => ({ key: `key ${i % 20}`, value: `${i}` }));
const counts = (partitions: string[][]) => partitions.map(({ length }) => length);

describe('the partitioner', () => {
  it('sticky: a batch at a time', async () => {
    const partitions = await spread('sticky', values, 1000);
    expect(counts(partitions).every((count) => count > 20)).toBe(true);
    const switches = partitions.flat().filter((value, index, all) => {
      const before = all[index - 1];
      return before !== undefined && Number(value.slice(6)) !== Number(before.slice(6)) + 1;
    });
    expect(switches.length).toBeLessThan(30);
    expect(counts(await spread('sticky', values, 1 << 20)).sort()).toEqual([0, 0, 0, 400]);
  });

  it('roundRobin: a record each, whatever the key', async () => {
    expect(counts(await spread('roundRobin', keyed))).toEqual([100, 100, 100, 100]);
  });

  it('random: all of them, whatever the key', async () => {
    expect(Math.min(...counts(await spread('random', keyed)))).toBeGreaterThan(60);
  });

  it.each(['default', 'key'] as const)('%s: by key, as Java does', async (partitioner) => {
    const partitions = await spread(partitioner, keyed);
    for (const { key, value } of keyed) {
      expect(partitions[partitionOfKey(Buffer.from(key), 4)]).toContain(value);
    }
  });

  it('default: sticky without a key; key: refuses', async () => {
    expect(counts(await spread('default', values, 1 << 20)).sort()).toEqual([0, 0, 0, 400]);
    await expect(spread('key', values)).rejects.toThrow(/a record without a key/);
  });

  it('explicit: as each record says, and refuses where one does not', async () => {
    const own = values.map((record, index) => ({ ...record, partition: index % 2 }));
    expect(counts(await spread('explicit', own))).toEqual([200, 200, 0, 0]);
    await expect(spread('explicit', values)).rejects.toThrow(/a record without a partition/);
  });

  it('a function: as it says', async () => {
    const byLength: Partitioner = ({ topic, key }, count) =>
      topic === 'wide' ? (key?.length ?? 0) % count : 99;
    expect(counts(await spread(byLength, keyed))).toEqual([0, 200, 200, 0]);
    await expect(spread(() => 4, keyed)).rejects.toThrow(/has partitions 0 to 3, not 4/);
  });

  it('overridden by the record itself', async () => {
    const own = keyed.map((record) => ({ ...record, partition: 3 }));
    expect(counts(await spread('roundRobin', own))).toEqual([0, 0, 0, 400]);
  });
});
