import { describe, expect, it } from 'vitest';
import { Consumer, type ConsumerOptions } from '../../client/consumer/index.js';
import { detach } from '../../system/index.js';
import type { SimProcess } from '../../system/sim/index.js';
import { bootstrap, produce, startBroker, withBroker } from './on-broker.js';

/** A consumer that collects `partition:value` of what it reads. */
class Reader {
  readonly seen: string[] = [];
  readonly assigned: string[] = [];
  readonly events: string[] = [];
  failure: Error | undefined;
  done = false;
  readonly consumer: Consumer;
  #wake: () => void = () => {};

  constructor(process: SimProcess, options: Partial<ConsumerOptions> = {}) {
    this.consumer = new Consumer(
      { bootstrap, groupId: 'g', autoOffsetReset: 'earliest', ...options },
      process,
    );
    for (const name of ['connected', 'brokerLost', 'recovered', 'stopped'] as const) {
      this.consumer.on(name, () => {
        this.events.push(name);
        this.#wake();
      });
    }
  }

  subscribe(topics: readonly string[]): this {
    this.consumer.subscribe({
      topics,
      onAssign: (partitions) => {
        this.assigned.push(`+${partitions.map((each) => each.partition).join()}`);
        this.#wake();
      },
      onRevoke: (partitions, lost) => {
        this.assigned.push(`${lost ? '!' : '-'}${partitions.map((each) => each.partition).join()}`);
        this.#wake();
      },
    });
    return this;
  }

  read(streams = 1): this {
    const running = this.consumer.run({
      streams,
      onMessage: ({ partition, value }) => {
        this.seen.push(`${partition}:${value}`);
        this.#wake();
      },
    });
    const ended = running.then(() => {
      this.done = true;
      this.#wake();
    });
    detach(ended, (error) => {
      this.failure = error as Error;
      this.#wake();
    });
    return this;
  }

  async until(condition: (reader: this) => boolean): Promise<void> {
    while (!condition(this)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const values = (count: number, prefix = 'v') =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe('a consumer of a group', () => {
  it('reads all partitions in order and commits what it has processed', async () => {
    const { sim } = await withBroker({ t: { partitions: 3 } });
    const app = sim.process('app');
    await sim.run(async () => {
      for (const partition of [0, 1, 2]) await produce(app, 't', partition, values(5));
      const reader = new Reader(app).subscribe(['t']).read();
      await reader.until(({ seen }) => seen.length === 15);
      for (const partition of [0, 1, 2]) {
        const own = reader.seen.filter((each) => each.startsWith(`${partition}:`));
        expect(own).toEqual(values(5, `${partition}:v`));
      }
      expect(reader.assigned).toEqual(['+0,1,2']);
      expect(reader.consumer.lag().every(({ lag }) => lag === 0)).toBe(true);
      await reader.consumer.close();
      expect(reader.done).toBe(true);
      expect(reader.events).toEqual(['connected', 'stopped']);

      await produce(app, 't', 1, ['later']);
      const second = new Reader(app).subscribe(['t']).read();
      await second.until(({ seen }) => seen.length === 1);
      expect(second.seen).toEqual(['1:later']);
      await second.consumer.close();
    });
  });

  it('shares the partitions with others, and takes them over when one dies', async () => {
    const { sim } = await withBroker({ t: { partitions: 4 } });
    await sim.run(async () => {
      const a = new Reader(sim.process('a'), { sessionTimeoutMs: 10_000 }).subscribe(['t']).read();
      await a.until(({ assigned }) => assigned.includes('+0,1,2,3'));
      const b = new Reader(sim.process('b'), { sessionTimeoutMs: 10_000 }).subscribe(['t']).read();
      await b.until(({ assigned }) => assigned.length > 0);
      await a.until(({ assigned }) => assigned.length === 3);
      expect(a.assigned[1]).toBe('-0,1,2,3');
      expect([a.assigned[2], b.assigned[0]].sort()).toEqual(['+0,1', '+2,3']);
      const app = sim.process('app');
      for (const partition of [0, 1, 2, 3]) await produce(app, 't', partition, [`m${partition}`]);
      await a.until(({ seen }) => seen.length === 2);
      await b.until(({ seen }) => seen.length === 2);

      sim.process('b').kill();
      await a.until(({ assigned }) => assigned.length === 5);
      expect(a.assigned[4]).toBe('+0,1,2,3');
      for (const partition of [0, 1, 2, 3]) await produce(app, 't', partition, [`n${partition}`]);
      await a.until(({ seen }) => seen.filter((each) => each.includes('n')).length === 4);
      await a.consumer.close();
    });
  });

  it('survives any restart of the broker, and says what happened', async () => {
    const { sim, broker } = await withBroker({ t: { partitions: 2 } });
    const app = sim.process('app');
    const reader = new Reader(app).subscribe(['t']).read();
    await sim.run(async () => {
      await produce(app, 't', 0, ['one']);
      await reader.until(({ seen }) => seen.length === 1);
      await broker.stop();
      await reader.until(({ events }) => events.includes('brokerLost'));
    });
    await sim.advance(30_000);
    await startBroker(sim);
    await sim.run(async () => {
      await produce(app, 't', 1, ['two']);
      await reader.until(({ seen }) => seen.length === 2);
    });
    sim.process('broker').kill();
    await sim.advance(120_000);
    await startBroker(sim);
    await sim.run(async () => {
      await produce(app, 't', 0, ['three']);
      await reader.until(({ seen }) => seen.length === 3);
      await reader.consumer.close();
    });
    expect(reader.seen).toEqual(['0:one', '1:two', '0:three']);
    expect(reader.events.slice(0, 3)).toEqual(['connected', 'brokerLost', 'recovered']);
  });

  it('a static member comes back to its partitions without a rebalance', async () => {
    const { sim } = await withBroker({ t: { partitions: 2 } });
    await sim.run(async () => {
      const options = { groupInstanceId: 'one', sessionTimeoutMs: 30_000 };
      const first = new Reader(sim.process('a'), options).subscribe(['t']).read();
      const other = new Reader(sim.process('b'), { groupInstanceId: 'two' });
      other.subscribe(['t']).read();
      const shared = ({ assigned }: Reader) => assigned.at(-1)?.length === '+0'.length;
      await first.until(shared);
      await other.until(shared);
      const [before, rounds] = [first.assigned.at(-1), other.assigned.length];
      await first.consumer.close();
      const again = new Reader(sim.process('a'), options).subscribe(['t']).read();
      await again.until(({ assigned }) => assigned.length === 1);
      await sim.process('a').clock.sleep(10_000);
      expect(again.assigned).toEqual([before]);
      expect(other.assigned.length).toBe(rounds);
    });
  });

  it('waits for a topic that does not exist yet, and follows one that grows', async () => {
    const { sim } = await withBroker({ t: { partitions: 1 } });
    await sim.run(async () => {
      const reader = new Reader(sim.process('a'), { metadataMaxAgeMs: 5000 });
      reader.subscribe(['t', 'later']).read();
      await reader.until(({ assigned }) => assigned.length === 1);
      expect(reader.assigned).toEqual(['+0']);
      const { Admin } = await import('../../client/admin/index.js');
      const admin = new Admin({ bootstrap }, sim.process('admin'));
      await admin.createTopic({ name: 'later', partitions: 1 });
      await reader.until(({ assigned }) => assigned.length === 3);
      expect(reader.assigned[2]).toBe('+0,0');
      await admin.createPartitions('t', 3);
      await reader.until(({ assigned }) => assigned.length === 5);
      expect(reader.assigned[4]?.split(',').length).toBe(4);
      admin.close();
      await reader.consumer.close();
    });
  });
});

describe('a consumer of its own partitions', () => {
  it('seeks to offsets, ends and times', async () => {
    const { sim } = await withBroker({ t: { partitions: 1 } });
    const app = sim.process('app');
    await sim.run(async () => {
      for (const time of [1000, 2000, 3000]) await produce(app, 't', 0, [`at ${time}`], time);
      const readFrom = async (position: number | 'beginning' | 'end' | { timestamp: number }) => {
        const reader = new Reader(app, { autoCommit: false }).read();
        await reader.consumer.assign([{ topic: 't', partition: 0, position }]);
        const expected = position === 'end' ? 1 : 0;
        if (expected) await produce(app, 't', 0, ['new'], 4000);
        await reader.until(({ seen }) => seen.some((each) => /3000|new/.test(each)));
        await reader.consumer.close();
        return reader.seen;
      };
      expect(await readFrom('beginning')).toEqual(['0:at 1000', '0:at 2000', '0:at 3000']);
      expect(await readFrom(1)).toEqual(['0:at 2000', '0:at 3000']);
      expect(await readFrom({ timestamp: 2500 })).toEqual(['0:at 3000']);
      expect(await readFrom('end')).toEqual(['0:new']);
    });
  });

  it('starts in the middle of a batch', async () => {
    const { sim } = await withBroker({ t: { partitions: 1 } });
    const app = sim.process('app');
    await sim.run(async () => {
      await produce(app, 't', 0, values(10));
      const consumer = new Consumer({ bootstrap }, app);
      await consumer.assign([{ topic: 't', partition: 0, position: 7 }]);
      const { value: batch } = await consumer.batches().next();
      expect(batch).toMatchObject({ firstOffset: 7, nextOffset: 10, highWatermark: 10 });
      const cursor = batch!.cursor();
      const offsets: number[] = [];
      while (cursor.next()) offsets.push(cursor.offset);
      expect(offsets).toEqual([7, 8, 9]);
      expect(batch!.batches.length).toBe(1);
      await consumer.close();
    });
  });

  it.each([
    ['earliest', ['0:v0', '0:v1']],
    ['latest', ['0:new']],
    ['error', /OFFSET|offset 99 is not in the log/],
  ] as const)('outside the log it does as autoOffsetReset: %s says', async (policy, expected) => {
    const { sim } = await withBroker({ t: { partitions: 1 } });
    const app = sim.process('app');
    await sim.run(async () => {
      await produce(app, 't', 0, values(2));
      const reader = new Reader(app, { autoOffsetReset: policy, autoCommit: false }).read();
      await reader.consumer.assign([{ topic: 't', partition: 0, position: 99 }]);
      if (policy === 'latest') {
        await app.clock.sleep(2000);
        await produce(app, 't', 0, ['new']);
      }
      if (expected instanceof RegExp) {
        await reader.until(({ failure, events }) => !!failure && events.includes('stopped'));
        expect(reader.failure?.message).toMatch(expected);
        return;
      }
      await reader.until(({ seen }) => seen.length === expected.length);
      expect(reader.seen).toEqual(expected);
      await reader.consumer.close();
    });
  });

  it('pauses and resumes', async () => {
    const { sim } = await withBroker({ t: { partitions: 2 } });
    const app = sim.process('app');
    await sim.run(async () => {
      const reader = new Reader(app, { autoCommit: false }).read();
      await reader.consumer.assign(
        [0, 1].map((partition) => ({ topic: 't', partition, position: 'beginning' })),
      );
      reader.consumer.pause([{ topic: 't', partition: 0 }]);
      await produce(app, 't', 0, ['a']);
      await produce(app, 't', 1, ['b']);
      await app.clock.sleep(3000);
      expect(reader.seen).toEqual(['1:b']);
      reader.consumer.resume();
      await reader.until(({ seen }) => seen.length === 2);
      await reader.consumer.close();
    });
  });

  it('keeps each partition in order in parallel streams', async () => {
    const { sim } = await withBroker({ t: { partitions: 4 } });
    const app = sim.process('app');
    await sim.run(async () => {
      const reader = new Reader(app, { autoCommit: false }).read(3);
      await reader.consumer.assign(
        [0, 1, 2, 3].map((partition) => ({ topic: 't', partition, position: 'beginning' })),
      );
      for (const round of [0, 1, 2]) {
        for (const partition of [0, 1, 2, 3]) {
          await produce(app, 't', partition, values(3, `r${round}-`));
        }
      }
      await reader.until(({ seen }) => seen.length === 36);
      for (const partition of [0, 1, 2, 3]) {
        const own = reader.seen.filter((each) => each.startsWith(`${partition}:`));
        expect(own).toEqual([0, 1, 2].flatMap((round) => values(3, `${partition}:r${round}-`)));
      }
      await reader.consumer.close();
    });
  });

  it('never holds more than it may', async () => {
    const { sim } = await withBroker({ t: { partitions: 1 } });
    const app = sim.process('app');
    await sim.run(async () => {
      const big = 'x'.repeat(50_000);
      for (let index = 0; index < 20; index++) await produce(app, 't', 0, [big]);
      const limits = { maxPartitionBytes: 60_000, prefetchBytes: 150_000 };
      const consumer = new Consumer({ bootstrap, ...limits }, app);
      const stream = consumer.batches();
      await consumer.assign([{ topic: 't', partition: 0, position: 0 }]);
      await app.clock.sleep(5000);
      let bytes = 0;
      let next = 0;
      while (next < 20) {
        const { value } = await stream.next();
        bytes = Math.max(bytes, value!.sizeBytes);
        next = value!.nextOffset;
      }
      expect(bytes).toBeLessThan(120_000);
      await consumer.close();
    });
  });
});
