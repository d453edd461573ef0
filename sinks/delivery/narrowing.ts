import type { OffsetSpan } from './outbox.js';

interface NarrowingState {
  /**
   * What is left, in order. The first `held` are single records that were refused on their own;
   * what follows has not been sent on its own yet.
   */
  ranges: readonly OffsetSpan[];
  held: number;
  /** Another request was accepted after all that are held had been refused. */
  isProven: boolean;
  /** Of the cut's records, in order. */
  readonly offsets: readonly number[];
  /** So many records refused in a row are the destination's fault. */
  readonly limit: number;
}

/** How far a cut has been narrowed down: `step` alone changes it. */
export type Narrowing = Readonly<NarrowingState>;

/**
 * What became of the request `nextOf`: the destination's answer, or that its record, being at
 * fault, is in the dead-letter topic.
 */
export interface NarrowingEvent {
  readonly type: 'accepted' | 'refused' | 'buried';
}

/**
 * What is to be done. `settle`: what is left has changed, so it is to be committed and stored.
 * `bury`: the record `at` is at fault. `stop`: so many in a row were refused that the destination
 * is.
 */
export type NarrowingEffect =
  | { readonly type: 'settle' | 'stop' }
  | { readonly type: 'bury'; readonly at: OffsetSpan };

/** A cut of which nothing is known yet. */
export function narrowingOf(
  ranges: readonly OffsetSpan[],
  offsets: readonly number[],
  limit: number,
): Narrowing {
  return { ranges, held: 0, isProven: false, offsets, limit };
}

/**
 * The request that is sent next; undefined where nothing is left, or where only another cut can
 * tell whose fault the held records are.
 */
export function nextOf(state: Narrowing): OffsetSpan | undefined {
  return state.ranges[indexOf(state)];
}

/**
 * A record is at fault only where it was refused, then another request was accepted, then it was
 * refused again: a destination that refuses everything, for a while or for ever, never sends a
 * record to the dead letters.
 */
export function step(
  state: NarrowingState,
  event: NarrowingEvent,
  _now: number,
): readonly NarrowingEffect[] {
  const index = indexOf(state);
  const at = state.ranges[index];
  if (at === undefined) return [];
  if (event.type !== 'refused') {
    state.ranges = state.ranges.toSpliced(index, 1);
    if (state.isProven) state.held -= 1;
    state.isProven = state.held > 0;
    return [{ type: 'settle' }];
  }
  if (state.isProven) return [{ type: 'bury', at }];
  if (at.start !== at.end) {
    state.ranges = state.ranges.toSpliced(index, 1, ...halvesOf(state.offsets, at));
    return [{ type: 'settle' }];
  }
  state.held += 1;
  return state.held >= state.limit ? [{ type: 'stop' }] : [];
}

function indexOf({ isProven, held }: Narrowing): number {
  return isProven ? 0 : held;
}

/** Two halves, by records: so the one at fault is found in a few steps. */
function halvesOf(offsets: readonly number[], { start, end }: OffsetSpan): OffsetSpan[] {
  const within = offsets.filter((at) => at >= start && at <= end);
  const middle = within.length >> 1;
  return [
    { start, end: within[middle - 1] ?? start },
    { start: within[middle] ?? end, end },
  ];
}
