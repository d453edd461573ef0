import { expect, it } from 'vitest';
import { Consumer } from '../../client/consumer/index.js';
import { Producer } from '../../client/producer/index.js';
import { jsonClass, stringType, ValueTypes } from '../../client/values/index.js';
import { detach } from '../../system/index.js';
import { bootstrap, produce, withBroker } from './on-broker.js';

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}
class Secret {
  readonly word = 'hidden';
}
const pointType = jsonClass('point', Point, ({ x, y }: Point) => new Point(x, y));
const secretType = jsonClass('secret', Secret, () => new Secret());

it('restores the types it registered, and counts the others', async () => {
  const { sim } = await withBroker({ t: { partitions: 1 } });
  const app = sim.process('app');
  await sim.run(async () => {
    const sent = new ValueTypes([pointType, secretType, stringType]);
    const producer = new Producer({ bootstrap, values: sent }, app);
    for (const value of [new Point(1, 2), new Secret(), 'text', null]) {
      await producer.send({ topic: 't', value });
    }
    await producer.close();
    const values = new ValueTypes([pointType, stringType]);
    const consumer = new Consumer({ bootstrap, groupId: 'g', values }, app);
    await consumer.assign([{ topic: 't', partition: 0, position: 'beginning' }]);
    const contents: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      const running = consumer.run({
        onMessage: ({ content, offset }) => {
          contents.push(content);
          if (offset === 3) resolve();
        },
      });
      detach(running, reject);
    });
    expect(contents).toEqual([new Point(1, 2), 'text', null]);
    expect(contents[0]).toBeInstanceOf(Point);
    expect([...values.skipped]).toEqual([['secret', 1]]);
    await app.clock.sleep(1);
    await consumer.commit();
    expect(await consumer.committed([{ topic: 't', partition: 0 }])).toMatchObject([{ offset: 4 }]);
    await consumer.close();
  });
});

it('gives partitions up only after the batch in hand is done, so that nobody reads it again', async () => {
  const { sim } = await withBroker({ t: { partitions: 2 } });
  const [a, b] = [sim.process('a'), sim.process('b')];
  await sim.run(async () => {
    await produce(a, 't', 0, ['slow']);
    const options = { bootstrap, groupId: 'g', autoOffsetReset: 'earliest' as const };
    const log: string[] = [];
    const start = (process: typeof a, workMs: number) => {
      const consumer = new Consumer(options, process);
      consumer.subscribe({
        topics: ['t'],
        onAssign: (partitions) => {
          log.push(`${process.name} has ${partitions.length}`);
        },
      });
      const running = consumer.run({
        onMessage: async ({ value }) => {
          log.push(`${process.name} starts ${value}`);
          await process.clock.sleep(workMs);
          log.push(`${process.name} ends ${value}`);
        },
      });
      detach(running, (error) => log.push(`${process.name} failed: ${error}`));
      return consumer;
    };
    const first = start(a, 20_000);
    await a.clock.sleep(2000);
    const second = start(b, 0);
    await a.clock.sleep(60_000);
    expect(log.slice(0, 3)).toEqual(['a has 2', 'a starts slow', 'a ends slow']);
    expect(log.slice(3).sort()).toEqual(['a has 1', 'b has 1']);
    await Promise.all([first.close(), second.close()]);
  });
});

it('commits what the application names, and reads on from there', async () => {
  const { sim } = await withBroker({ t: { partitions: 1 } });
  const app = sim.process('app');
  await sim.run(async () => {
    await produce(app, 't', 0, ['a', 'b', 'c']);
    const options = { bootstrap, groupId: 'g', autoCommit: false } as const;
    const at = { topic: 't', partition: 0 };
    const first = new Consumer({ ...options, autoOffsetReset: 'earliest' }, app);
    await first.assign([at]);
    await first.batches().next();
    await first.commit([{ ...at, offset: 1 }]);
    await first.close();
    const second = new Consumer({ ...options, autoOffsetReset: 'error' }, app);
    await second.assign([at]);
    const { value: batch } = await second.batches().next();
    expect(batch?.firstOffset).toBe(1);
    await second.close();
    const other = new Consumer({ ...options, groupId: 'h', autoOffsetReset: 'error' }, app);
    await expect(other.assign([at])).rejects.toMatchObject({ code: 'NO_OFFSET', topic: 't' });
    await other.close();
  });
});

it('says what is wrong with its use', async () => {
  const { sim } = await withBroker({ t: { partitions: 1 } });
  const app = sim.process('app');
  await sim.run(async () => {
    const consumer = new Consumer({ bootstrap }, app);
    expect(() => consumer.subscribe({ topics: ['t'] })).toThrow(/groupId/);
    await expect(consumer.commit()).rejects.toThrow(/groupId/);
    await expect(consumer.seek({ topic: 't', partition: 0 }, 1)).rejects.toThrow(/not assigned/);
    await consumer.close();
    expect(() => consumer.batches()).toThrow(/the consumer is closed/);
    expect(() => new Consumer({ bootstrap: [] }, app)).toThrow(/bootstrap names no broker/);
    expect(() => new Consumer({ bootstrap: ['a b'] }, app)).toThrow(/'a b' is not the address/);
    expect(() => new Consumer({ bootstrap, assignors: [] }, app)).toThrow(/assignors/);
  });
});

it('reuses memory that is given back, and none that is not', async () => {
  const { sim } = await withBroker({ t: { partitions: 1 } });
  const app = sim.process('app');
  await sim.run(async () => {
    const value = 'x'.repeat(100_000);
    for (let index = 0; index < 6; index++) await produce(app, 't', 0, [value]);
    const limits = { maxPartitionBytes: 100_500, prefetchBytes: 1 };
    const memoryOf = async (gives: boolean) => {
      const consumer = new Consumer({ bootstrap, ...limits }, app);
      await consumer.assign([{ topic: 't', partition: 0, position: 0 }]);
      const used: unknown[] = [];
      for await (const batch of consumer.batches()) {
        used.push(batch.records.buffer);
        const cursor = batch.cursor();
        while (cursor.next()) expect(cursor.valueEnd - cursor.valueStart).toBe(100_000);
        if (gives) {
          batch.release();
          batch.release();
        }
        if (batch.nextOffset === 6) break;
      }
      await consumer.close();
      return [used.length, new Set(used).size];
    };
    expect(await memoryOf(false)).toEqual([6, 6]);
    const [batches, memories] = await memoryOf(true);
    expect(batches).toBe(6);
    expect(memories).toBeLessThan(4);
  });
});
