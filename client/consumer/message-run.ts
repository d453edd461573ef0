import type { ValueTypes } from '../values/index.js';
import type { FetchedBatch } from './fetched-batch.js';
import { type Message, messageAt, typedMessageAt } from './message.js';
import type { BatchStream } from './streams.js';

/** What is called for each record. */
export type MessageHandler = (message: Message) => void | Promise<void>;

/**
 * One `run`: hands records to the handler, one after another in each stream. Between two of them
 * it looks whether the next is still wanted: a consumer that is closed, a partition that is
 * paused, revoked or has been sought to elsewhere gets no call any more.
 */
export class MessageRun {
  /** Resolves once no handler is at work and none will be called. */
  readonly idle: Promise<void>;
  /** Rejects with what the first handler has thrown; resolves with the streams' end. */
  readonly done: Promise<void>;
  readonly #streams: readonly BatchStream[];
  readonly #handler: MessageHandler;
  readonly #values: ValueTypes | undefined;
  #isOver = false;
  #isStopping = false;

  constructor(
    streams: readonly BatchStream[],
    handler: MessageHandler,
    values: ValueTypes | undefined,
  ) {
    this.#streams = streams;
    this.#handler = handler;
    this.#values = values;
    const loops = streams.map((stream) => this.#read(stream));
    this.done = Promise.all(loops).then(() => undefined);
    this.idle = Promise.allSettled(loops).then(() => {
      this.#isOver = true;
    });
  }

  /** A handler may be at work, or will be. */
  get isActive(): boolean {
    return !this.#isOver;
  }

  /** It has thrown, so that nobody waits for what is left. */
  get hasFailed(): boolean {
    return this.#isStopping;
  }

  async #read(stream: BatchStream): Promise<void> {
    try {
      for (;;) {
        const { value: batch } = await stream.next();
        if (batch === undefined) return;
        // Between the answer and this turn anything may have happened.
        if (!stream.isCurrent || (await this.#each(stream, batch))) stream.setAside();
      }
    } catch (error) {
      this.#isStopping = true;
      stream.setAside();
      for (const each of this.#streams) each.end(undefined);
      throw error;
    }
  }

  /** True where something of the batch is left over. */
  async #each(stream: BatchStream, batch: FetchedBatch): Promise<boolean> {
    const cursor = batch.cursor();
    while (cursor.next()) {
      if (!stream.isCurrent) return true;
      const message = this.#values
        ? typedMessageAt(batch, cursor, this.#values)
        : messageAt(batch, cursor);
      const pending = message && this.#handler(message);
      if (pending !== undefined) await pending;
      stream.progress(cursor.offset + 1);
    }
    return false;
  }
}
