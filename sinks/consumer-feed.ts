import {
  type Admin,
  type Consumer,
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
} from '../client/index.js';
import type { OffsetRange, PartitionFeed } from './feed.js';

/** One partition of a consumer group's member, as its worker sees it. */
export class ConsumerFeed implements PartitionFeed {
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #at: { readonly topic: string; readonly partition: number };
  #isRetired = false;

  constructor(consumer: Consumer, admin: Admin, topic: string, partition: number) {
    this.#consumer = consumer;
    this.#admin = admin;
    this.#at = { topic, partition };
  }

  /**
   * The topic is gone, or has been created anew under its name: what the worker still does must
   * not touch the offsets of the new one.
   */
  retire(): void {
    this.#isRetired = true;
  }

  async committed(): Promise<number | undefined> {
    if (this.#isRetired) return undefined;
    const [committed] = await this.#consumer.committed([this.#at]);
    return committed?.offset;
  }

  async commit(offset: number): Promise<void> {
    if (!this.#isRetired) await this.#consumer.commit([{ ...this.#at, offset }]);
  }

  async range(): Promise<OffsetRange> {
    // There is nothing to read any more, and nothing to be alarmed about.
    if (this.#isRetired) return { start: 0, end: Number.MAX_SAFE_INTEGER };
    const [first, last] = await this.#admin.listOffsets([
      { ...this.#at, timestamp: EARLIEST_TIMESTAMP },
      { ...this.#at, timestamp: LATEST_TIMESTAMP },
    ]);
    if (first === undefined || last === undefined) throw new Error('the broker named no offsets');
    return { start: first.offset, end: last.offset };
  }

  seek(offset: number): void {
    if (this.#isRetired) return;
    // It fails only where the partition was just taken away: then the worker is closed.
    this.#consumer.seek(this.#at, offset).catch(() => undefined);
  }

  pause(): void {
    if (!this.#isRetired) this.#consumer.pause([this.#at]);
  }

  resume(): void {
    if (!this.#isRetired) this.#consumer.resume([this.#at]);
  }
}
