import { describe, expect, it, onTestFinished } from 'vitest';
import { rounds } from '../rounds.js';
import { type Role, repeats, Town } from './town.js';

/** Kills of each role. */
const kills = rounds === 1 ? 3 : rounds;
const roundMs = 60_000;
/** Positions are written once a second: what an agent sent since then may come again. */
const POSITIONS_MS = 1_000;
/** And what was in flight, on a machine that has other work. */
const IN_FLIGHT_MS = 1_500;

/** Kills the roles in turn while the writer writes on; each must come back on its own feet. */
async function live(victims: readonly (readonly Role[])[]) {
  const town = new Town(3);
  /** What may be repeated, by what was under way at each kill of the agent. */
  let mayRepeat = 0;
  onTestFinished(() => town.remove());
  try {
    await town.start();
    for (let round = 1; round <= kills; round++) {
      for (const roles of victims) {
        const isHasty = round % 2 === 0;
        if (roles.includes('agent')) {
          await pause(POSITIONS_MS);
          await town.recovered();
          mayRepeat += town.linesOfLast(POSITIONS_MS + IN_FLIGHT_MS);
        } else if (!isHasty) {
          // Else the kill falls into what the last one has left to be done.
          await town.recovered();
        }
        for (const role of roles) await town.kill(role);
        await pause(isHasty ? 50 : 700);
        for (const role of roles) await town.startRole(role);
      }
    }
    await town.finish();
  } catch (error) {
    throw new Error(`${String(error)}\n${town.words()}`, { cause: error });
  }
  return { town, mayRepeat };
}

const pause = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs));

function repeatsOf(town: Town): number {
  return town.files
    .map((file) => repeats(town.archived(file), town.linesOf(file)))
    .reduce((sum, count) => sum + count, 0);
}

describe(`kill -9, ${kills} rounds, while lines are being written`, () => {
  it.each<{ what: string; victims: readonly (readonly Role[])[] }>([
    { what: 'of broker and sinks', victims: [['broker'], ['sinks'], ['broker', 'sinks']] },
    { what: 'of the agent', victims: [['agent']] },
    { what: 'of all three at once', victims: [['agent', 'broker', 'sinks']] },
  ])(
    '$what: every line, in order; twice only what the agent had under way',
    async ({ victims }) => {
      const { town, mayRepeat } = await live(victims);
      expect(await town.stop()).toEqual({ agent: 0, sinks: 0, broker: 0 });
      await town.verify();
      expect(repeatsOf(town)).toBeLessThanOrEqual(mayRepeat);
    },
    roundMs * (kills + 1),
  );
});

describe('the judge of the archive', () => {
  it('finds what is missing, early or late, and counts what is repeated', () => {
    expect(repeats([1, 2, 3], 3)).toBe(0);
    expect(repeats([1, 2, 1, 2, 3], 3)).toBe(2);
    expect(repeats([1, 2, 2, 3], 3)).toBe(1);
    expect(() => repeats([1, 3], 3)).toThrow('lost or out of order');
    expect(() => repeats([2, 3], 3)).toThrow('lost or out of order');
    expect(() => repeats([1, 2], 3)).toThrow('the last of 3 lines is 2');
    expect(() => repeats([1, 2, 1, 3], 3)).toThrow('lost or out of order');
  });
});
