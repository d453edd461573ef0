/**
 * How the generators of the tests are run: `LOGFLUME_ROUNDS` times as long as in `npm test` (1),
 * from the seed `LOGFLUME_SEED`, which a failure names and which replays it.
 */
export const rounds = Number(process.env.LOGFLUME_ROUNDS ?? 1);

/** undefined: take others than the last time. */
export const replayedSeed =
  process.env.LOGFLUME_SEED === undefined ? undefined : Number(process.env.LOGFLUME_SEED);

/**
 * The replayed seed. Else `npm test` takes the same each time, as whoever runs it is not looking for
 * what others left behind; more rounds begin where nobody has tried yet.
 */
export const seed = replayedSeed ?? (rounds > 1 ? Date.now() % 2 ** 31 : 1);
