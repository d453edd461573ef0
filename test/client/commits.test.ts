import { expect, it } from 'vitest';
import { Consumer, type ConsumerOptions } from '../../client/consumer/index.js';
import type { SimProcess } from '../../system/sim/index.js';
import { bootstrap, produce, startBrokerIn, withBroker } from './on-broker.js';

const at = { topic: 't', partition: 0 };
const values = ['a', 'b', 'c', 'd'];

function create(process: SimProcess, options: Partial<ConsumerOptions> = {}): Consumer {
  return new Consumer(
    { bootstrap, groupId: 'g', autoOffsetReset: 'earliest', sessionTimeoutMs: 10_000, ...options },
    process,
  );
}

async function committedBy(process: SimProcess): Promise<number | undefined> {
  const consumer = create(process);
  const [found] = await consumer.committed([at]);
  await consumer.close();
  return found?.offset;
}

it('a member that was thrown out moves the offset of its successors no more', async () => {
  const { sim } = await withBroker({ t: { partitions: 1 } });
  const [slow, app] = [sim.process('slow'), sim.process('app')];
  await sim.run(async () => {
    await produce(app, 't', 0, values);
    let go = () => {};
    const goes = new Promise<void>((resolve) => {
      go = resolve;
    });
    const lost: boolean[] = [];
    const first = create(slow, { autoCommitIntervalMs: 500 });
    first.subscribe({
      topics: ['t'],
      onRevoke: async (_, isLost) => {
        lost.push(isLost);
        await slow.clock.sleep(5000);
      },
    });
    const running = first.run({ onMessage: ({ offset }) => (offset < 2 ? undefined : goes) });
    await slow.clock.sleep(8000);
    sim.network.partition('slow', 'broker');
    const second = create(app);
    second.subscribe({ topics: ['t'] });
    let seen = 0;
    const reading = second.run({ onMessage: () => void seen++ });
    while (seen < 2) await app.clock.sleep(1000);
    await second.close();
    await reading;
    expect(await committedBy(app)).toBe(4);

    sim.network.heal();
    while (lost.length === 0) {
      await slow.clock.sleep(1000);
      go();
    }
    await expect(first.commit([{ ...at, offset: 1 }])).rejects.toMatchObject({
      name: 'BrokerError',
    });
    await slow.clock.sleep(2000);
    expect(lost).toEqual([true]);
    expect(await committedBy(app)).toBe(4);
    await first.close();
    await running;
  });
});

it('of commits that are made beside each other the last one stays', async () => {
  const { sim, broker } = await withBroker({ t: { partitions: 1 } });
  const app = sim.process('app');
  await sim.run(async () => {
    await produce(app, 't', 0, values);
    const consumer = create(app, { autoCommit: false });
    await consumer.assign([{ ...at, position: 'beginning' }]);
    for (let round = 1; round < 6; round++) {
      if (round === 1) await broker.stop();
      else sim.process('broker').kill();
      const commits = Array.from({ length: 8 }, async (_, index) => {
        await app.clock.sleep(index * 40);
        await consumer.commit([{ ...at, offset: round * 10 + index }]);
      });
      await app.clock.sleep(3000);
      await startBrokerIn(sim);
      await Promise.all(commits);
      expect(await committedBy(app)).toBe(round * 10 + 7);
    }
    await consumer.close();
  });
});
