import type { PartitionFeed } from '../feed.js';
import type { RecordView } from '../record-view.js';
import { ChunkCursor } from '../spool-format.js';
import { contentTypes, encodeBody, offsetsOf } from './body.js';
import type { Refusal } from './dead-letters.js';
import type { Destination } from './destination.js';
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
  readonly onArrived: (arrived: { records: number; bytes: number }) => void;
}

/** Brings one parcel after the other to the destination; a refused one piece by piece. */
export class Courier {
  readonly #options: CourierOptions;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the whole parcel has arrived and is committed, or with the reason why a person
   * has to act first; undefined also where `signal` aborted.
   */
  async bring(parcel: Parcel, signal: AbortSignal): Promise<string | undefined> {
    const { destination, topic, partition } = this.#options;
    let left = parcel;
    for (;;) {
      const [range] = left.ranges;
      if (range === undefined) return undefined;
      const { start, end } = range;
      const { format, chunk } = left;
      const delivery = {
        idempotencyKey: this.#key(range),
        contentType: contentTypes[format],
        body: encodeBody(chunk, format, { topic, partition }, start, end),
      };
      const verdict = await destination.deliver(delivery, signal);
      if (verdict === undefined) return undefined;
      if (verdict.kind === 'denied') return verdict.reason;
      if (verdict.kind === 'accepted') {
        const records = offsetsOf(chunk).filter((at) => at >= start && at <= end).length;
        this.#options.onArrived({ records, bytes: delivery.body.length });
        left = await this.#arrived(left);
      } else if (start < end) {
        left = await this.#divide(left);
      } else {
        const { deadLetters } = this.#options;
        if (deadLetters === undefined) return `offset ${start} is refused: ${verdict.reason}`;
        const record = recordAt(chunk, start);
        const sent = deadLetters.send(record, { topic, partition, reason: verdict.reason });
        await Promise.race([sent, aborted(signal)]);
        if (signal.aborted) return undefined;
        left = await this.#arrived(left);
      }
    }
  }

  #key({ start, end }: OffsetSpan): string {
    const { sink, topicId, partition } = this.#options;
    return `${sink}.${topicId}.${partition}.${start}-${end}`;
  }

  /** Committed first: a crash in between sends nothing that is committed, see `remainder`. */
  async #arrived(parcel: Parcel): Promise<Parcel> {
    const { feed, outbox } = this.#options;
    const ranges = parcel.ranges.slice(1);
    const from = ranges[0]?.start ?? parcel.next;
    const left = { ...parcel, from, ranges };
    await feed.commit(from);
    if (ranges.length > 0) await outbox.save(left);
    else await outbox.clear();
    return left;
  }

  /** Two halves, by records: so the one at fault is found in a few steps. */
  async #divide(parcel: Parcel): Promise<Parcel> {
    const [range, ...others] = parcel.ranges;
    if (range === undefined) return parcel;
    const offsets = offsetsOf(parcel.chunk).filter((at) => at >= range.start && at <= range.end);
    const middle = offsets.length >> 1;
    const first = { start: range.start, end: offsets[middle - 1] ?? range.start };
    const second = { start: offsets[middle] ?? range.end, end: range.end };
    const left = { ...parcel, ranges: [first, second, ...others] };
    await this.#options.outbox.save(left);
    return left;
  }
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

/** Resolves when `signal` aborts; what it raced against has nobody to answer to then. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function recordAt(chunk: Buffer, offset: number): RecordView {
  const records = new ChunkCursor();
  records.open(chunk);
  while (records.next()) if (records.offset === offset) return records;
  throw new Error(`offset ${offset} is not in its parcel`);
}
