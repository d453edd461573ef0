import { expect, it } from 'vitest';
import { Consumer, type Subscription } from '../../client/consumer/index.js';
import { detach } from '../../system/index.js';
import type { SimProcess } from '../../system/sim/index.js';
import { bootstrap, produce, withBroker } from './on-broker.js';

const forEver = () => new Promise<void>(() => {});

/** A member of the group, and what it has seen. */
function reader(process: SimProcess, callbacks: Partial<Subscription> = {}) {
  const options = { autoOffsetReset: 'earliest', sessionTimeoutMs: 10_000 } as const;
  const consumer = new Consumer(
    { bootstrap, groupId: 'g', rebalanceTimeoutMs: 8000, ...options },
    process,
  );
  const seen: string[] = [];
  consumer.subscribe({ topics: ['t'], ...callbacks });
  const onMessage = ({ value }: { value: Buffer | null }) => void seen.push(String(value));
  detach(consumer.run({ onMessage }), () => {});
  return { consumer, seen };
}

it.each(['onAssign', 'onRevoke'] as const)(
  'an %s that hangs holds its member up, but not for ever',
  async (name) => {
    const { sim } = await withBroker({ t: { partitions: 2 } });
    const [a, b] = [sim.process('a'), sim.process('b')];
    await sim.run(async () => {
      let calls = 0;
      const first = reader(a, { [name]: () => (calls++ === 0 ? forEver() : undefined) });
      await a.clock.sleep(6000);
      const second = reader(b);
      await a.clock.sleep(60_000);
      for (const partition of [0, 1]) await produce(a, 't', partition, [`v${partition}`]);
      await a.clock.sleep(5000);
      expect(first.consumer.assignment()).toHaveLength(1);
      expect([...first.seen, ...second.seen].sort()).toEqual(['v0', 'v1']);
      const words = `${name} takes longer than the group waits: rebalances go on without it`;
      expect(a.logLines.map(({ message }) => message)).toContain(words);
      await Promise.all([first.consumer.close(), second.consumer.close()]);
    });
  },
);

it.each([true, false])(
  'an onAssign that fails late ends the consumer, unless others have its partitions (%s)',
  async (isAlone) => {
    const { sim } = await withBroker({ t: { partitions: 1 } });
    const [a, b] = [sim.process('a'), sim.process('b')];
    await sim.run(async () => {
      const told: string[] = [];
      let calls = 0;
      const { consumer } = reader(a, {
        onAssign: async () => {
          if (calls++ > 0) return;
          await a.clock.sleep(40_000);
          throw new Error('too late');
        },
      });
      consumer.on('callbackError', ({ where }) => told.push(where));
      consumer.on('stopped', ({ cause }) => told.push(`stopped: ${cause?.message}`));
      await a.clock.sleep(6000);
      const others = isAlone ? [] : [reader(b)];
      await a.clock.sleep(50_000);
      expect(told).toEqual([isAlone ? 'stopped: too late' : 'onAssign']);
      await Promise.all([consumer.close(), ...others.map((other) => other.consumer.close())]);
    });
  },
);
