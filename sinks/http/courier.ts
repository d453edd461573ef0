import type { PartitionFeed } from '../feed.js';
import type { RecordView } from '../record-view.js';
import { ChunkCursor } from '../spool-format.js';
import { contentTypes, encodeBody, offsetsOf } from './body.js';
import type { Refusal } from './dead-letters.js';
import type { Delivery, Destination } from './destination.js';
import { type Narrowing, narrowingOf, nextIndex, step } from './narrowing.js';
import type { OffsetSpan, Outbox, Parcel } from './outbox.js';

/** What a courier works with. */
export interface CourierOptions {
  readonly sink: string;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly destination: Destination;
  readonly outbox: Outbox;
  readonly feed: PartitionFeed;
  /** undefined: what is refused blocks the partition. */
  readonly deadLetters: { send(record: RecordView, refusal: Refusal): Promise<void> } | undefined;
  /** So many records refused in a row are the destination's fault. At least 2. */
  readonly deadLetterLimit: number;
  readonly onArrived: (arrived: { records: number; bytes: number }) => void;
}

/**
 * What became of a parcel. `aborted`: it is in the outbox. `blocked`: a person has to act; `proven`
 * is to be handed in with it again, so that what the destination has told need not be asked again.
 * `undecided`: what is left are records that were refused, and no other request since has told
 * whether they are at fault or the destination.
 */
export type Outcome =
  | { readonly type: 'arrived' | 'aborted' }
  | { readonly type: 'blocked'; readonly reason: string; readonly proven?: Narrowing }
  | { readonly type: 'undecided'; readonly left: Parcel; readonly reason: string };

/** Brings one parcel after the other to the destination; a refused one piece by piece. */
export class Courier {
  readonly #options: CourierOptions;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** Resolves when the whole parcel has arrived and is committed, or cannot go on. */
  async bring(parcel: Parcel, signal: AbortSignal, proven?: Narrowing): Promise<Outcome> {
    const { destination, deadLetters, deadLetterLimit } = this.#options;
    const limit = deadLetters === undefined ? 1 : deadLetterLimit;
    let left = parcel;
    let state = proven ?? narrowingOf(parcel.ranges);
    let refusal = '';
    for (;;) {
      const range = state.ranges[nextIndex(state) ?? -1];
      if (range === undefined) {
        if (left.ranges.length === 0) return { type: 'arrived' };
        return { type: 'undecided', left, reason: undecided(left.ranges, refusal) };
      }
      const delivery = this.#deliveryOf(left, range);
      const verdict = await destination.deliver(delivery, signal);
      if (verdict === undefined) return { type: 'aborted' };
      if (verdict.kind === 'denied') return { type: 'blocked', reason: verdict.reason };
      if (verdict.kind === 'refused') refusal = verdict.reason;
      const divide = (span: OffsetSpan) => halvesOf(left.chunk, span);
      const [next, decision] = step(state, verdict.kind, divide, limit);
      if (decision.type === 'deadLetter') {
        const failure = await this.#bury(left.chunk, decision.at, refusal, signal);
        if (signal.aborted) return { type: 'aborted' };
        if (failure !== undefined) {
          return {
            type: 'blocked',
            reason: notBuried(decision.at, refusal, failure),
            proven: state,
          };
        }
      }
      if (verdict.kind === 'accepted') this.#count(left.chunk, range, delivery.body.length);
      if (next.ranges !== state.ranges) left = await this.#settle(left, next.ranges);
      state = next;
      if (decision.type === 'stop') return { type: 'blocked', reason: stopped(state, refusal) };
    }
  }

  #deliveryOf({ chunk, format }: Parcel, range: OffsetSpan): Delivery {
    const { topic, partition } = this.#options;
    const { start, end } = range;
    return {
      idempotencyKey: this.#key(range),
      contentType: contentTypes[format],
      body: encodeBody(chunk, format, { topic, partition }, start, end),
    };
  }

  #count(chunk: Buffer, { start, end }: OffsetSpan, bytes: number): void {
    const records = offsetsOf(chunk).filter((at) => at >= start && at <= end).length;
    this.#options.onArrived({ records, bytes });
  }

  /** Resolves with why it failed, if it did; or when `signal` aborts. */
  async #bury(
    chunk: Buffer,
    { start }: OffsetSpan,
    reason: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { deadLetters, topic, partition } = this.#options;
    const send = async (): Promise<string | undefined> => {
      try {
        await deadLetters?.send(recordAt(chunk, start), { topic, partition, reason });
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    };
    return untilAborted(send(), signal);
  }

  #key({ start, end }: OffsetSpan): string {
    const { sink, topicId, partition } = this.#options;
    return `${sink}.${topicId}.${partition}.${start}-${end}`;
  }

  /** Committed first: a crash in between sends nothing that is committed, see `remainder`. */
  async #settle(parcel: Parcel, ranges: readonly OffsetSpan[]): Promise<Parcel> {
    const { feed, outbox } = this.#options;
    const from = ranges[0]?.start ?? parcel.next;
    const left = { ...parcel, from, ranges };
    if (from !== parcel.from) await feed.commit(from);
    if (ranges.length > 0) await outbox.save(left);
    else await outbox.clear();
    return left;
  }
}

/** Two halves, by records: so the one at fault is found in a few steps. */
function halvesOf(chunk: Buffer, { start, end }: OffsetSpan): [OffsetSpan, OffsetSpan] | undefined {
  if (start === end) return undefined;
  const offsets = offsetsOf(chunk).filter((at) => at >= start && at <= end);
  const middle = offsets.length >> 1;
  return [
    { start, end: offsets[middle - 1] ?? start },
    { start: offsets[middle] ?? end, end },
  ];
}

function undecided(ranges: readonly OffsetSpan[], refusal: string): string {
  const [first] = ranges;
  const others = ranges.length > 1 ? ` and ${ranges.length - 1} more` : '';
  return (
    `offset ${first?.start}${others} is refused: ${refusal}. It goes to the dead letters when ` +
    'the destination has accepted another record; until then that may be at fault itself'
  );
}

function notBuried({ start }: OffsetSpan, refusal: string, failure: string): string {
  return (
    `offset ${start} is refused: ${refusal}. It cannot be put into the dead-letter topic either: ` +
    `${failure}. Create that topic, or mend what keeps it from taking the record`
  );
}

function stopped({ ranges, held }: Narrowing, refusal: string): string {
  const [first] = ranges;
  if (held < 2) return `offset ${first?.start} is refused: ${refusal}`;
  return (
    `${held} records in a row are refused, from offset ${first?.start} on: ${refusal}. That is ` +
    'the destination, not the records: mend it, or raise dead_letter_limit if it is the records'
  );
}

/**
 * What of a parcel is still to be sent, by what is committed; undefined where nothing is, or where
 * a person has moved the group's offsets.
 */
export function remainder(parcel: Parcel, committed: number | undefined): Parcel | undefined {
  if (committed === undefined || committed === parcel.from) return parcel;
  const sent = parcel.ranges.findIndex(({ start }) => start === committed);
  if (sent <= 0) return undefined;
  return { ...parcel, from: committed, ranges: parcel.ranges.slice(sent) };
}

/** What `work` gives, or undefined where `signal` aborts first; nothing stays with the signal. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const settled = new AbortController();
  const aborted = new Promise<undefined>((resolve) => {
    const options = { once: true, signal: settled.signal };
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), options);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    settled.abort();
  }
}

function recordAt(chunk: Buffer, offset: number): RecordView {
  const records = new ChunkCursor();
  records.open(chunk);
  while (records.next()) if (records.offset === offset) return records;
  throw new Error(`offset ${offset} is not in its parcel`);
}
