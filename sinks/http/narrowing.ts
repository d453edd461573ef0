import type { OffsetSpan } from './outbox.js';

/** What the destination said of one request. */
export type Answer = 'accepted' | 'refused';

/**
 * How far a cut has been narrowed down. Of `ranges`, in order, the first `held` are single records
 * that were refused on their own; what follows has not been sent on its own yet.
 */
export interface Narrowing {
  readonly ranges: readonly OffsetSpan[];
  readonly held: number;
  /** Another request was accepted after all that are held had been refused. */
  readonly isProven: boolean;
}

/**
 * What follows from an answer. `next`: send `nextIndex`. `deadLetter`: the record `at` is at fault.
 * `stop`: so many records in a row were refused that the destination is.
 */
export type Decision =
  | { readonly type: 'next' }
  | { readonly type: 'deadLetter'; readonly at: OffsetSpan }
  | { readonly type: 'stop' };

/** A cut of which nothing is known yet. */
export function narrowingOf(ranges: readonly OffsetSpan[]): Narrowing {
  return { ranges, held: 0, isProven: false };
}

/**
 * The place of the request that is sent next; undefined where nothing is left, or where only
 * another cut can tell whose fault the held records are.
 */
export function nextIndex({ ranges, held, isProven }: Narrowing): number | undefined {
  if (isProven) return 0;
  return held < ranges.length ? held : undefined;
}

/**
 * The answer to the request at `nextIndex`. A record is at fault only where it was refused, then
 * another request was accepted, then it was refused again: a destination that refuses everything,
 * for a while or for ever, never sends a record to the dead letters.
 * `divide` halves a range, by records; undefined where it is a single one.
 */
export function step(
  state: Narrowing,
  answer: Answer,
  divide: (range: OffsetSpan) => readonly [OffsetSpan, OffsetSpan] | undefined,
  limit: number,
): readonly [Narrowing, Decision] {
  const index = nextIndex(state);
  const at = index === undefined ? undefined : state.ranges[index];
  if (index === undefined || at === undefined) return [state, { type: 'next' }];
  const { isProven } = state;
  const others = state.ranges.toSpliced(index, 1);
  if (isProven) {
    const held = state.held - 1;
    const left = { ranges: others, held, isProven: held > 0 };
    return [left, answer === 'accepted' ? { type: 'next' } : { type: 'deadLetter', at }];
  }
  const { held } = state;
  if (answer === 'accepted') {
    return [{ ranges: others, held, isProven: held > 0 }, { type: 'next' }];
  }
  const halves = divide(at);
  if (halves !== undefined) {
    const ranges = state.ranges.toSpliced(index, 1, ...halves);
    return [{ ranges, held, isProven }, { type: 'next' }];
  }
  const more = { ...state, held: held + 1 };
  return [more, more.held >= limit ? { type: 'stop' } : { type: 'next' }];
}
