import type { Callbacks } from '../events.js';

/** Some records of a batch that were given up; the others were delivered. */
export interface BatchFailure {
  /** Position of the first of them among the records of the ticket. */
  readonly first: number;
  readonly count: number;
  /** A `BatchError` with their bytes, unless the producer was closed. */
  readonly error: Error;
}

/**
 * Hears once what became of a batch: null and the offset of its first record (-1: not known), or
 * the first reason for which records of it were given up, and which ones those are.
 */
export type BatchCallback = (
  error: Error | null,
  baseOffset: number,
  failures: readonly BatchFailure[],
) => void;

/** Speaks for one batch: what `Producer.append` hands back. */
export interface BatchTicket {
  /** Records appended so far; right after an append, that record is the last of them. */
  readonly recordCount: number;
  /** Calls back once. Batches of one partition are reported in their order. */
  onDone(callback: BatchCallback): void;
}

/** What hears of the records of a `send`, a stretch of one batch at a time. */
export interface StretchListener {
  /** Records `start` … `start + count - 1` of the listener's own numbering. */
  onStretch(start: number, count: number, result: StretchResult): void;
}

export type StretchResult =
  | {
      readonly error: null;
      readonly topic: string;
      readonly partition: number;
      /** Of the stretch's first record; -1: not known. */
      readonly baseOffset: number;
      /** The one time that the records have in the log; -1 where they keep their own. */
      readonly timeMs: number;
    }
  | { readonly error: Error; readonly topic: string; readonly partition: number };

interface Stretch {
  readonly listener: StretchListener;
  readonly start: number;
  /** Position of the stretch's first record in the batch. */
  readonly inBatch: number;
  count: number;
}

/** A ticket's other side. A batch may be split: then its parts are reported one by one. */
export class Ticket implements BatchTicket {
  private readonly callbacks: BatchCallback[] = [];
  private readonly failures: BatchFailure[] = [];
  private readonly stretches: Stretch[] = [];
  /** Parts that are not settled yet. */
  private openParts = 1;
  private error: Error | null = null;
  private baseOffset = -1;

  constructor(
    private readonly topic: string,
    private readonly partition: number,
    private readonly guard: Callbacks,
    /** The batch while it is filled, its final count from then on. */
    private batch: { readonly recordCount: number },
  ) {}

  get recordCount(): number {
    return this.batch.recordCount;
  }

  onDone(callback: BatchCallback): void {
    if (this.openParts === 0) this.tell(callback);
    else this.callbacks.push(callback);
  }

  /** The batch is finished; its writer is used for others now. */
  close(recordCount: number): void {
    this.batch = { recordCount };
  }

  /** Notes that record `index` of `listener` stands at `inBatch`. */
  addRecord(listener: StretchListener, index: number, inBatch: number): void {
    const last = this.stretches[this.stretches.length - 1];
    if (
      last !== undefined &&
      last.listener === listener &&
      last.start + last.count === index &&
      last.inBatch + last.count === inBatch
    ) {
      last.count++;
      return;
    }
    this.stretches.push({ listener, start: index, inBatch, count: 1 });
  }

  /** The batch, or one part of it, is now two parts. */
  addPart(): void {
    this.openParts++;
  }

  /** Settles the part with records `first` … `first + count - 1` of the batch. */
  settle(
    first: number,
    count: number,
    error: Error | null,
    baseOffset: number,
    timeMs: number,
  ): void {
    if (error !== null) {
      this.error ??= error;
      this.failures.push({ first, count, error });
    } else if (first === 0) this.baseOffset = baseOffset;
    for (const stretch of this.stretches) {
      this.reportStretch(stretch, first, count, error, baseOffset, timeMs);
    }
    this.openParts--;
    if (this.openParts > 0) return;
    this.stretches.length = 0;
    for (const callback of this.callbacks.splice(0)) this.tell(callback);
  }

  private tell(callback: BatchCallback): void {
    const { error, baseOffset, failures } = this;
    this.guard.call('the callback of onDone', () => callback(error, baseOffset, failures));
  }

  private reportStretch(
    { listener, start, inBatch, count }: Stretch,
    first: number,
    partCount: number,
    error: Error | null,
    baseOffset: number,
    timeMs: number,
  ): void {
    const from = Math.max(inBatch, first);
    const to = Math.min(inBatch + count, first + partCount);
    if (from >= to) return;
    const { topic, partition } = this;
    listener.onStretch(
      start + from - inBatch,
      to - from,
      error !== null
        ? { error, topic, partition }
        : {
            error,
            topic,
            partition,
            baseOffset: baseOffset < 0 ? -1 : baseOffset + from - first,
            timeMs,
          },
    );
  }
}
