import { expect, it } from 'vitest';
import { failAtEveryCall, type PlannedFault, runWithFaults } from '../../system/sim/index.js';
import { SeededRandom } from '../../system/sim/random.js';
import { rounds } from '../rounds.js';
import { FaultStory } from './fault-story.js';

/** One round takes a sample; with more, every call is tried, of another story for each twenty. */
const isWhole = rounds > 1;
const seeds = Array.from({ length: Math.ceil(rounds / 20) }, (_, index) => index + 1);
const limitMs = isWhole ? 3_600_000 * rounds : 300_000;

const kinds: readonly Omit<PlannedFault, 'call'>[] = [
  { kind: 'EIO' },
  { kind: 'ENOSPC', lasts: 12 },
  { kind: 'INODES', lasts: 40 },
  { kind: 'EMFILE', lasts: 40 },
];

it.each(seeds)(
  'what was acknowledged stays, whatever call on the disk fails (seed %i)',
  async (seed) => {
    const every = isWhole ? 1 : 29;
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
    for (let run = 0; run < 60 * rounds; run++) {
      // Half of them close together: the second hits what mends the first.
      const first = fault();
      const near = { ...fault(), call: first.call + 1 + random.below(12) };
      await runWithFaults(story, [first, random.chance(0.5) ? near : fault()], run);
    }
  },
  limitMs,
);
