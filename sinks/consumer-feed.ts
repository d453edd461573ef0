import {
  type Admin,
  type Consumer,
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
} from '../client/index.js';
import { type Clock, detach } from '../system/index.js';
import type { OffsetRange, PartitionFeed } from './feed.js';

/** A call to the cluster that takes longer is given up; its worker tries again. */
const CALL_TIMEOUT_MS = 15_000;

/** Where a feed's records come from. */
export interface FeedOptions {
  readonly clock: Clock;
  readonly consumer: Consumer;
  readonly admin: Admin;
  readonly topic: string;
  readonly partition: number;
}

/** One partition of a consumer group's member, as its worker sees it. */
export class ConsumerFeed implements PartitionFeed {
  readonly #options: FeedOptions;
  readonly #at: { readonly topic: string; readonly partition: number };
  /** Resolves when the feed ends; calls under way do not outlive it. */
  readonly #ended: Promise<'retired' | 'closed'>;
  #end: (how: 'retired' | 'closed') => void = () => undefined;
  #isRetired = false;

  constructor(options: FeedOptions) {
    const { topic, partition } = options;
    this.#options = options;
    this.#at = { topic, partition };
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /**
   * The topic is gone, or has been created anew under its name: what the worker still does must
   * not touch the offsets of the new one.
   */
  retire(): void {
    this.#isRetired = true;
    this.#end('retired');
  }

  /** The worker is to stop: calls under way fail. */
  close(): void {
    this.#end('closed');
  }

  async committed(): Promise<number | undefined> {
    const { consumer } = this.#options;
    const [committed] = await this.#call(() => consumer.committed([this.#at]), []);
    return committed?.offset;
  }

  commit(offset: number): Promise<void> {
    const { consumer } = this.#options;
    return this.#call(() => consumer.commit([{ ...this.#at, offset }]), undefined);
  }

  range(): Promise<OffsetRange> {
    // Of a retired topic there is nothing to read, and nothing to be alarmed about.
    return this.#call(() => this.#range(), { start: 0, end: Number.MAX_SAFE_INTEGER });
  }

  seek(offset: number): void {
    if (this.#isRetired) return;
    // It fails only where the partition was just taken away: then the worker is closed.
    detach(this.#options.consumer.seek(this.#at, offset), () => {});
  }

  pause(): void {
    if (!this.#isRetired) this.#options.consumer.pause([this.#at]);
  }

  resume(): void {
    if (!this.#isRetired) this.#options.consumer.resume([this.#at]);
  }

  async #range(): Promise<OffsetRange> {
    const [first, last] = await this.#options.admin.listOffsets([
      { ...this.#at, timestamp: EARLIEST_TIMESTAMP },
      { ...this.#at, timestamp: LATEST_TIMESTAMP },
    ]);
    if (first === undefined || last === undefined) throw new Error('the broker named no offsets');
    return { start: first.offset, end: last.offset };
  }

  /** The client repeats for ever; a worker must be able to stop, and to look at the store again. */
  async #call<T>(call: () => Promise<T>, whenRetired: T): Promise<T> {
    if (this.#isRetired) return whenRetired;
    const { topic, partition } = this.#at;
    const overdue = new AbortController();
    const late = this.#options.clock.sleep(CALL_TIMEOUT_MS, overdue.signal).then((): never => {
      throw new Error(`topic ${topic}, partition ${partition}: the cluster does not answer`);
    });
    const ended = this.#ended.then((how) => {
      if (how === 'retired') return whenRetired;
      throw new Error(`topic ${topic}, partition ${partition} is no longer read here`);
    });
    const settled = Promise.race([call(), late, ended]);
    // Whichever loses has nobody to tell.
    for (const loser of [late, ended]) detach(loser, () => {});
    return settled.finally(() => overdue.abort());
  }
}
