import { describe, expect, it } from 'vitest';
import { Consumer, type ConsumerOptions, type Message } from '../../client/consumer/index.js';
import { detach } from '../../system/index.js';
import type { SimProcess } from '../../system/sim/index.js';
import { bootstrap, produce, withBroker } from './on-broker.js';

const count = 4;
const values = Array.from({ length: count }, (_, index) => `v${index}`);
const at = { topic: 't', partition: 0 };
const boundaries = values.map((_, index) => index);

/** A topic with one batch of four records, and a consumer whose handler a test provides. */
async function world(options: Partial<ConsumerOptions> = {}, partitions = 1) {
  const { sim } = await withBroker({ t: { partitions } });
  const app = sim.process('app');
  await sim.run(produce(app, 't', 0, values));
  const create = (process: SimProcess = app): Consumer =>
    new Consumer({ bootstrap, groupId: 'g', autoOffsetReset: 'earliest', ...options }, process);
  return { sim, app, create };
}

/** What the group has on record. */
async function committedBy(process: SimProcess, groupId = 'g'): Promise<number | undefined> {
  const consumer = new Consumer({ bootstrap, groupId }, process);
  const [found] = await consumer.committed([at]);
  await consumer.close();
  return found?.offset;
}

/** Resolves when a handler has come to its `boundary`-th record; the handler then waits. */
class Stop {
  readonly seen: number[] = [];
  readonly reached: Promise<void>;
  #reach: () => void = () => {};
  #go: () => void = () => {};
  readonly #gone: Promise<void>;

  constructor(private readonly boundary: number) {
    this.reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
    this.#gone = new Promise((resolve) => {
      this.#go = resolve;
    });
  }

  readonly handle = async ({ offset }: Message): Promise<void> => {
    this.seen.push(offset);
    if (this.seen.length !== this.boundary + 1) return;
    this.#reach();
    await this.#gone;
  };

  go(): void {
    this.#go();
  }
}

describe.each(boundaries)('with record %i in hand', (boundary) => {
  const upTo = boundaries.slice(0, boundary + 1);

  it('close waits for its end, commits it, and nothing is called any more', async () => {
    const { sim, app, create } = await world();
    await sim.run(
      (async () => {
        const consumer = create();
        const stop = new Stop(boundary);
        consumer.subscribe({ topics: ['t'] });
        const run = consumer.run({ onMessage: stop.handle });
        await stop.reached;
        let isClosed = false;
        const closed = consumer.close().then(() => {
          isClosed = true;
        });
        await app.clock.sleep(5000);
        expect(isClosed).toBe(false);
        stop.go();
        await Promise.all([closed, run]);
        await app.clock.sleep(5000);
        expect(stop.seen).toEqual(upTo);
        expect(await committedBy(app)).toBe(boundary + 1);
      })(),
    );
  });

  it('pause holds the next one back, resume goes on with it', async () => {
    const { sim, app, create } = await world();
    await sim.run(
      (async () => {
        const consumer = create();
        const stop = new Stop(boundary);
        await consumer.assign([{ ...at, position: 0 }]);
        detach(consumer.run({ onMessage: stop.handle }), () => {});
        await stop.reached;
        consumer.pause([at]);
        stop.go();
        await app.clock.sleep(5000);
        expect(stop.seen).toEqual(upTo);
        expect(consumer.lag()).toMatchObject([{ position: boundary + 1 }]);
        consumer.resume();
        await app.clock.sleep(5000);
        expect(stop.seen).toEqual(boundaries);
        await consumer.close();
      })(),
    );
  });

  it('seek drops what was buffered', async () => {
    const { sim, app, create } = await world();
    await sim.run(
      (async () => {
        const consumer = create();
        const stop = new Stop(boundary);
        await consumer.assign([{ ...at, position: 0 }]);
        detach(consumer.run({ onMessage: stop.handle }), () => {});
        await stop.reached;
        await consumer.seek(at, 2);
        stop.go();
        await app.clock.sleep(5000);
        expect(stop.seen).toEqual([...upTo, 2, 3]);
        await consumer.close();
      })(),
    );
  });

  it.each([true, false])(
    'revocation waits for its end, then commits it: %s',
    async (autoCommit) => {
      const { sim, app, create } = await world({ autoCommit }, 2);
      await sim.run(
        (async () => {
          const first = create();
          const stop = new Stop(boundary);
          const order: string[] = [];
          let assignments = 0;
          first.subscribe({
            topics: ['t'],
            onAssign: () => void assignments++,
            onRevoke: async () => {
              order.push(`revoked after ${stop.seen.length}`);
              order.push(`committed ${(await first.committed([at]))[0]?.offset}`);
            },
          });
          detach(first.run({ onMessage: stop.handle }), () => {});
          await stop.reached;
          const other = sim.process('other');
          const second = create(other);
          const taken: number[] = [];
          second.subscribe({ topics: ['t'] });
          detach(second.run({ onMessage: ({ offset }) => void taken.push(offset) }), () => {});
          await app.clock.sleep(20_000);
          expect([order, taken, assignments]).toEqual([[], [], 1]);
          stop.go();
          await app.clock.sleep(20_000);
          const expected = autoCommit ? `committed ${boundary + 1}` : 'committed undefined';
          expect(order).toEqual([`revoked after ${boundary + 1}`, expected]);
          if (autoCommit) expect([...stop.seen, ...taken]).toEqual(boundaries);
          expect(stop.seen.slice(0, boundary + 1)).toEqual(upTo);
          await Promise.all([first.close(), second.close()]);
        })(),
      );
    },
  );

  it('an error of the handler ends run, and the next run begins with that record', async () => {
    const { sim, app, create } = await world();
    await sim.run(
      (async () => {
        const consumer = create();
        await consumer.assign([{ ...at, position: 0 }]);
        const seen: number[] = [];
        const failing = consumer.run({
          onMessage: ({ offset }) => {
            seen.push(offset);
            if (offset === boundary) throw new Error('cannot');
          },
        });
        await expect(failing).rejects.toThrow('cannot');
        await app.clock.sleep(1000);
        expect(seen).toEqual(upTo);
        const again: number[] = [];
        detach(consumer.run({ onMessage: ({ offset }) => void again.push(offset) }), () => {});
        await app.clock.sleep(1000);
        expect(again).toEqual(boundaries.slice(boundary));
        await consumer.close();
        expect(await committedBy(app)).toBe(count);
      })(),
    );
  });

  it('a broken off batch goes on where progress stood', async () => {
    const { sim, app, create } = await world();
    await sim.run(
      (async () => {
        const consumer = create();
        await consumer.assign([{ ...at, position: 0 }]);
        for (const gives of [false, true]) {
          await consumer.seek(at, 0);
          const batches = consumer.batches();
          for await (const batch of batches) {
            batches.progress(boundary);
            if (gives) batch.release();
            break;
          }
          const { value: next } = await consumer.batches().next();
          expect([next?.firstOffset, next?.nextOffset]).toEqual([boundary, count]);
        }
        await consumer.close();
        expect(await committedBy(app)).toBe(boundary);
      })(),
    );
  });
});

describe('close', () => {
  it('ends in its time though a handler hangs, and says so', async () => {
    const { sim, app, create } = await world();
    await sim.run(
      (async () => {
        const consumer = create();
        consumer.subscribe({ topics: ['t'] });
        let calls = 0;
        const run = consumer.run({
          onMessage: ({ offset }) => {
            calls++;
            return offset < 2 ? undefined : new Promise<void>(() => {});
          },
        });
        detach(run, () => {});
        await app.clock.sleep(5000);
        const start = app.clock.monotonic();
        await consumer.close({ timeoutMs: 3000 });
        expect(app.clock.monotonic() - start).toBeGreaterThanOrEqual(3000);
        expect(app.clock.monotonic() - start).toBeLessThan(8000);
        expect(calls).toBe(3);
        expect(await committedBy(app)).toBe(2);
        expect(app.logLines.map(({ message }) => message)).toContain(
          'the consumer is closed while a handler is still at work',
        );
      })(),
    );
  });

  it('ends in its time where the handler awaits it, and where no broker answers', async () => {
    const { sim, app, create } = await world();
    await sim.run(
      (async () => {
        const consumer = create();
        consumer.subscribe({ topics: ['t'] });
        const start = app.clock.monotonic();
        await consumer.run({ onMessage: () => consumer.close({ timeoutMs: 2000 }) });
        expect(app.clock.monotonic() - start).toBeLessThan(20_000);
      })(),
    );
    const other = create();
    const stop = new Stop(3);
    await sim.run(
      (async () => {
        other.subscribe({ topics: ['t'] });
        detach(other.run({ onMessage: stop.handle }), () => {});
        await stop.reached;
        sim.process('broker').kill();
        stop.go();
        await other.close({ timeoutMs: 1000 });
      })(),
    );
    expect(stop.seen).toEqual([0, 1, 2, 3]);
  });

  it('twice is one, and both end when it has ended', async () => {
    const { sim, app, create } = await world();
    await sim.run(
      (async () => {
        const consumer = create();
        const stop = new Stop(1);
        await consumer.assign([{ ...at, position: 0 }]);
        detach(consumer.run({ onMessage: stop.handle }), () => {});
        await stop.reached;
        const ended: string[] = [];
        const first = consumer.close().then(() => ended.push('first'));
        const second = consumer.close().then(() => ended.push('second'));
        await app.clock.sleep(1000);
        expect(ended).toEqual([]);
        stop.go();
        await Promise.all([first, second]);
        await expect(consumer.commit()).rejects.toThrow(/closed/);
      })(),
    );
  });
});

it('run is refused while another one is at work', async () => {
  const { sim, create } = await world();
  await sim.run(
    (async () => {
      const consumer = create();
      await consumer.assign([at]);
      detach(consumer.run({ onMessage: () => {} }), () => {});
      await expect(consumer.run({ onMessage: () => {} })).rejects.toMatchObject({ code: 'MISUSE' });
      await consumer.close();
    })(),
  );
});

it('headers that were read can be sent as they are', async () => {
  const { sim, app, create } = await world();
  const { Producer } = await import('../../client/producer/index.js');
  const { stringType, ValueTypes } = await import('../../client/values/index.js');
  await sim.run(
    (async () => {
      const producer = new Producer({ bootstrap, values: new ValueTypes([stringType]) }, app);
      const headers: [string, Uint8Array | string | null][] = [
        ['a', Buffer.from([0, 255])],
        ['a', 'twice'],
        ['none', null],
      ];
      const { offset } = await producer.send({ topic: 't', value: 'x', headers });
      const consumer = create();
      await consumer.assign([{ ...at, position: offset }]);
      const read: Message['headers'][] = [];
      await consumer.run({
        onMessage: async (message) => {
          read.push(message.headers);
          // The type of the value is said once, however often a record is passed on.
          if (read.length < 3)
            await producer.send({ topic: 't', value: 'x', headers: message.headers });
          else detach(consumer.close(), () => {});
        },
      });
      const pair = (name: string, value: string | null) => [name, value && Buffer.from(value)];
      expect(read[0]).toEqual([
        ['a', Buffer.from([0, 255])],
        pair('a', 'twice'),
        ['none', null],
        pair('content-type', 'string'),
      ]);
      expect(read[1]).toEqual(read[0]);
      expect(read[2]).toEqual(read[0]);
      await producer.close();
    })(),
  );
});
