import { describe, expect, it, vi } from 'vitest';
import { FileLife } from './file-life.js';

vi.mock('node:zlib', async (original) => ({
  ...(await original<typeof import('node:zlib')>()),
  ...(await import('./sync-gunzip.js')),
}));

const rounds = Number(process.env.LOGFLUME_ROUNDS ?? 1) * 30;
/** Another beginning with each run; a failure names its seed, which LOGFLUME_SEED replays. */
const replayed = process.env.LOGFLUME_SEED;
const start = replayed === undefined ? Date.now() % 1_000_000_000 : Number(replayed);

describe('a log that lives through all that happens to logs', () => {
  it.each([
    ['is sent line by line, once and in order', false],
    ['loses nothing to kills, and repeats what positions allow', true],
  ])(
    '%s',
    async (_, kills) => {
      const count = replayed === undefined ? rounds : 1;
      for (let seed = start; seed < start + count; seed++) {
        await expect(new FileLife(seed, kills).run(), `seed ${seed}`).resolves.toBeUndefined();
      }
    },
    1_000 * 60 * Math.max(2, rounds / 30),
  );
});
