import { expect, it } from 'vitest';
import { Consumer } from '../../client/consumer/index.js';
import { detach } from '../../system/index.js';
import type { SimProcess, Simulation } from '../../system/sim/index.js';
import { forEachSeed } from '../../system/sim/index.js';
import { SeededRandom } from '../../system/sim/random.js';
import { bootstrap, produce, startBrokerIn } from './on-broker.js';

const partitions = 3;
const perPartition = 25;

/** Reads as a member of the group until it is closed; keeps what it saw, per partition. */
function startReader(process: SimProcess, seen: Map<number, string[]>): Consumer {
  const consumer = new Consumer(
    {
      bootstrap,
      groupId: 'g',
      autoOffsetReset: 'earliest',
      sessionTimeoutMs: 10_000,
      autoCommitIntervalMs: 700,
    },
    process,
  );
  consumer.subscribe({ topics: ['t'] });
  const running = consumer.run({
    onMessage: ({ partition, value }) => {
      seen.get(partition)?.push(String(value));
    },
  });
  // Readers are killed here; what they were to see is asked of those that live on.
  detach(running, () => {});
  return consumer;
}

/** Hurts the cluster at random times: kills and restarts the broker, cuts links, kills a reader. */
async function makeTrouble(sim: Simulation, seen: Map<number, string[]>): Promise<void> {
  const random = new SeededRandom(sim.seed, 'trouble');
  const { clock } = sim.process('trouble');
  for (let turn = 0; turn < 6; turn++) {
    await clock.sleep(500 + random.float() * 6000);
    const kind = random.below(5);
    if (kind === 0) sim.network.reset('broker');
    else if (kind === 1) {
      sim.network.partition('broker', random.chance(0.5) ? 'reader a' : 'reader b');
      await clock.sleep(random.float() * 20_000);
      sim.network.heal();
    } else if (kind === 2) {
      sim.process('reader b').kill();
      await clock.sleep(random.float() * 4000);
      startReader(sim.process('reader b'), seen);
    } else {
      sim.process('broker').kill();
      await clock.sleep(random.float() * 8000);
      await startBrokerIn(sim);
    }
  }
}

async function writeAll(sim: Simulation): Promise<void> {
  const app = sim.process('writer');
  for (let index = 0; index < perPartition; index++) {
    for (let partition = 0; partition < partitions; partition++) {
      // A lost answer makes it write twice: values may repeat, but not go missing.
      for (;;) {
        const done = await Promise.race([
          produce(app, 't', partition, [`v${index}`]).then(
            () => true,
            () => false,
          ),
          app.clock.sleep(15_000).then(() => false),
        ]);
        if (done) break;
        await app.clock.sleep(200);
      }
    }
    await app.clock.sleep(1000);
  }
}

it('a group reads every record, in order, whatever is restarted, cut or killed', async () => {
  const expected = Array.from({ length: perPartition }, (_, index) => `v${index}`);
  await forEachSeed([1, 2, 3, 4], async (sim) => {
    await startBrokerIn(sim, { t: { partitions } });
    const seen = new Map(Array.from({ length: partitions }, (_, index) => [index, [] as string[]]));
    const a = startReader(sim.process('reader a'), seen);
    startReader(sim.process('reader b'), seen);
    await Promise.all([writeAll(sim), makeTrouble(sim, seen)]);
    const { clock } = sim.process('trouble');
    const isComplete = () => [...seen.values()].every((values) => values.includes('v24'));
    for (let waited = 0; !isComplete() && waited < 120; waited++) await clock.sleep(1000);
    for (const values of seen.values()) {
      const firsts = values.filter((value, index) => values.indexOf(value) === index);
      expect(firsts).toEqual(expected);
    }
    await a.close();
  });
});
