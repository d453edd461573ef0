import { describe, expect, it, vi } from 'vitest';
import { replayedSeed, rounds, seed } from '../rounds.js';
import { FileLife } from './file-life.js';

vi.mock('node:zlib', async (original) => ({
  ...(await original<typeof import('node:zlib')>()),
  ...(await import('./sync-gunzip.js')),
}));

const lives = replayedSeed === undefined ? rounds * 30 : 1;

describe('a log that lives through all that happens to logs', () => {
  it.each([
    ['is sent line by line, once and in order', false],
    ['loses nothing to kills, and repeats what positions allow', true],
  ])(
    '%s',
    async (_, kills) => {
      for (let one = seed; one < seed + lives; one++) {
        await expect(new FileLife(one, kills).run(), `seed ${one}`).resolves.toBeUndefined();
      }
    },
    120_000 * rounds,
  );
});
