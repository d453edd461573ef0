import { describe, expect, it } from 'vitest';
import { LiveFiles } from '../../../sinks/archive/live-encoder.js';
import { PartitionWriter } from '../../../sinks/archive/partition-writer.js';
import { LocalStore } from '../../../sinks/archive/stores/index.js';
import { sinksSection } from '../../../sinks/index.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { FakeTopic } from '../fake-topic.js';
import { archiveFiles, readClaims, startOwner } from './world.js';

const ours = { PartitionWriter, LocalStore, LiveFiles };
const MINUTE = 60_000;

/** What `rotate:` is where nothing is said. */
const usual = () => {
  const sink = { type: 'archive', topics: ['t'], store: { type: 'local', root: '/a' } };
  const { rotate } = sinksSection().parse({ a: sink }).a as unknown as {
    rotate: { age: number; first: number; idle?: number; size: number };
  };
  return { ageMs: rotate.age, firstMs: rotate.first, idleMs: rotate.idle };
};

/** Seconds at which files were there, where a record comes in every so many seconds. */
async function filesOver(minutes: number, every: (second: number) => boolean) {
  const sim = createSimSystem({ seed: 3 });
  const process = sim.process('owner');
  const topic = new FakeTopic();
  const records = 1_000_000;
  const writer = startOwner(ours, process, topic, { rotation: usual(), rotateRecords: records });
  const seen: number[] = [];
  const { clock } = process;
  await sim.run(
    (async () => {
      for (let second = 0; second < minutes * 60; second += 1) {
        if (every(second)) topic.fill(1);
        await clock.sleep(1_000);
        const claims = archiveFiles(process).size === 0 ? 0 : readClaims(process).length;
        while (seen.length < claims) seen.push(second + 1);
      }
      await writer.close();
    })(),
  );
  return seen;
}

describe('how soon a quiet topic is archived, by default', () => {
  it('a first record within seconds, and a trickle in a handful of files more', async () => {
    const cuts = await filesOver(58, (second) => second % 10 === 0);
    expect(cuts[0]).toBeLessThanOrEqual(7);
    expect(cuts[1]).toBeLessThanOrEqual(25);
    // An hour has six times ten minutes; the early files are log2(600 / 5) more.
    expect(cuts.length).toBeLessThanOrEqual(6 + 7);
    const last = cuts.slice(-3);
    expect((last[2] ?? 0) - (last[1] ?? 0)).toBeGreaterThanOrEqual((10 * MINUTE) / 1_000);
  });

  it('a lonely record now and then within seconds, each time', async () => {
    const cuts = await filesOver(58, (second) => second % 900 === 0);
    expect(cuts).toHaveLength(4);
    for (const [i, cut] of cuts.entries()) expect(cut - i * 900).toBeLessThanOrEqual(7);
  });

  it('bursts a minute apart are not a file each', async () => {
    const cuts = await filesOver(58, (second) => second % 60 < 2);
    expect(cuts.length).toBeLessThanOrEqual(6 + 7);
  });
});
