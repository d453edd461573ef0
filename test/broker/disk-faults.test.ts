import { expect, it } from 'vitest';
import { failAtEveryCall, type PlannedFault, runWithFaults } from '../../system/sim/index.js';
import { SeededRandom } from '../../system/sim/random.js';
import { FaultStory } from './fault-story.js';

/** 0: a sample. With more, every call of as many seeds, and a hundred times as many pairs. */
const rounds = Number(process.env.LOGFLUME_ROUNDS ?? 0);
const seeds = Array.from({ length: Math.max(1, rounds) }, (_, index) => index + 1);
const limitMs = rounds > 0 ? 3_600_000 * rounds : 300_000;

const kinds: readonly Omit<PlannedFault, 'call'>[] = [
  { kind: 'EIO' },
  { kind: 'ENOSPC', lasts: 12 },
  { kind: 'INODES', lasts: 40 },
  { kind: 'EMFILE', lasts: 40 },
];

it.each(seeds)(
  'what was acknowledged stays, whatever call on the disk fails (seed %i)',
  async (seed) => {
    const every = rounds > 0 ? 1 : 29;
    let hits = 0;
    for (const [index, kind] of kinds.entries()) {
      hits += await failAtEveryCall(new FaultStory(seed), [kind], { first: 1 + index * 7, every });
    }
    expect(hits).toBeGreaterThan(60);
  },
  limitMs,
);

it(
  'and when two calls fail',
  async () => {
    const story = new FaultStory(100);
    const { calls } = await runWithFaults(story, []);
    const random = new SeededRandom(7, 'pairs of faults');
    const fault = (): PlannedFault => {
      const kind = kinds[random.below(kinds.length)] ?? { kind: 'EIO' };
      return { ...kind, call: 1 + random.below(calls) };
    };
    for (let run = 0; run < 60 + rounds * 100; run++) {
      // Half of them close together: the second hits what mends the first.
      const first = fault();
      const near = { ...fault(), call: first.call + 1 + random.below(12) };
      await runWithFaults(story, [first, random.chance(0.5) ? near : fault()], run);
    }
  },
  limitMs,
);
