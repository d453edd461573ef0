import type { Clock } from '../../system/index.js';
import type { PartitionFeed } from '../feed.js';
import type { RecordView } from '../record-view.js';
import { ChunkCursor } from '../spool-format.js';
import { offsetsOf, SpanCursor } from './cut-records.js';
import type { Refusal } from './dead-letters.js';
import type { Delivery, Destination } from './destination.js';
import {
  type Narrowing,
  type NarrowingEffect,
  type NarrowingEvent,
  narrowingOf,
  nextOf,
  step,
} from './narrowing.js';
import type { OffsetSpan, Outbox, Parcel } from './outbox.js';
import type { FinalVerdict, Repeater } from './repeater.js';
import { untilAborted } from './until-aborted.js';

/** What a courier works with. */
export interface CourierOptions {
  readonly clock: Clock;
  readonly sink: string;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly destination: Destination;
  /** Of the destination; all couriers share it. */
  readonly repeater: Repeater;
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

/** A parcel under way. */
interface Round {
  left: Parcel;
  readonly narrowing: Narrowing;
  /** What the destination last refused with. */
  refusal: string;
  readonly signal: AbortSignal;
}

/** Brings one parcel after the other to the destination; a refused one piece by piece. */
export class Courier {
  readonly #options: CourierOptions;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** Resolves when the whole parcel has arrived and is committed, or cannot go on. */
  async bring(parcel: Parcel, signal: AbortSignal, proven?: Narrowing): Promise<Outcome> {
    const { deadLetters, deadLetterLimit } = this.#options;
    const limit = deadLetters === undefined ? 1 : deadLetterLimit;
    const narrowing = proven ?? narrowingOf(parcel.ranges, offsetsOf(parcel.chunk), limit);
    const round: Round = { left: parcel, narrowing, refusal: '', signal };
    for (;;) {
      const range = nextOf(narrowing);
      if (range === undefined) return restOf(round);
      const verdict = await this.#send(round.left, range, signal);
      if (verdict === undefined) return { type: 'aborted' };
      if (verdict.kind === 'denied') return { type: 'blocked', reason: verdict.reason };
      if (verdict.kind === 'refused') round.refusal = verdict.reason;
      const end = await this.#hear(round, { type: verdict.kind });
      if (end !== undefined) return end;
    }
  }

  /** Resolves with what became of the parcel, where it does not go on. */
  async #hear(round: Round, event: NarrowingEvent): Promise<Outcome | undefined> {
    for (const effect of step(round.narrowing, event, this.#options.clock.monotonic())) {
      const end = await this.#carryOut(round, effect);
      if (end !== undefined) return end;
    }
    return undefined;
  }

  async #carryOut(round: Round, effect: NarrowingEffect): Promise<Outcome | undefined> {
    const { narrowing, refusal, signal } = round;
    switch (effect.type) {
      case 'settle':
        round.left = await this.#settle(round.left, narrowing.ranges);
        return undefined;
      case 'stop':
        return { type: 'blocked', reason: stopped(narrowing, refusal) };
      case 'bury': {
        const failure = await this.#bury(round.left.chunk, effect.at, refusal, signal);
        if (signal.aborted) return { type: 'aborted' };
        if (failure === undefined) return this.#hear(round, { type: 'buried' });
        const reason = notBuried(effect.at, refusal, failure);
        return { type: 'blocked', reason, proven: narrowing };
      }
    }
  }

  /** What the destination says of these records; undefined where `signal` aborted first. */
  async #send(
    { chunk, format }: Parcel,
    range: OffsetSpan,
    signal: AbortSignal,
  ): Promise<FinalVerdict | undefined> {
    const { destination, repeater, topic, topicId, partition } = this.#options;
    const origin = { topic, topicId, partition, format };
    let delivery: Delivery;
    try {
      const body = destination.encode(new SpanCursor(chunk, range), origin);
      if (!Buffer.isBuffer(body)) throw new TypeError('encode() gave no Buffer');
      delivery = { key: this.#key(range), format, body };
    } catch (error) {
      return { kind: 'refused', reason: `it cannot be encoded: ${messageOf(error)}` };
    }
    const verdict = await repeater.deliver(delivery, signal);
    if (verdict?.kind === 'accepted') this.#count(chunk, range, delivery.body.length);
    return verdict;
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
        return messageOf(error);
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

function restOf({ left, refusal }: Round): Outcome {
  if (left.ranges.length === 0) return { type: 'arrived' };
  return { type: 'undecided', left, reason: undecided(left.ranges, refusal) };
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

function recordAt(chunk: Buffer, offset: number): RecordView {
  const records = new ChunkCursor();
  records.open(chunk);
  while (records.next()) if (records.offset === offset) return records;
  throw new Error(`offset ${offset} is not in its parcel`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
