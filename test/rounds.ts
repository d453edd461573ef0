/**
 * How the generators of the tests are run: `LOGFLUME_ROUNDS` times as long as in `npm test` (1),
 * from the seed `LOGFLUME_SEED`, which a failure names and which replays it.
 */
export const rounds = Number(process.env.LOGFLUME_ROUNDS ?? 1);

/** undefined: take others than the last time. */
export const replayedSeed =
  process.env.LOGFLUME_SEED === undefined ? undefined : Number(process.env.LOGFLUME_SEED);

/** The replayed seed, or one that nobody has tried yet. */
export const seed = replayedSeed ?? Date.now() % 2 ** 31;
