import { isPassing } from './log-error.js';

interface Waiter {
  readonly offset: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: one sync at a time; whoever asks while it runs is served, together with all others
 * who ask, by the next one.
 */
export class Flusher {
  /** Everything before it survives a power cut. */
  #flushedOffset: number;
  readonly #sync: (upTo: number) => Promise<number>;
  #waiters: Waiter[] = [];
  #running: Promise<void> | undefined;
  /**
   * Once a sync has failed, nobody knows what is on disk, and a later one that succeeds proves
   * nothing (the kernel has forgotten the pages): none may succeed until the log was opened anew,
   * which writes again what was not synced. A sync that never began, for want of a descriptor
   * say, is no failure.
   */
  #failure: { readonly error: unknown } | undefined;

  /** @param sync makes what lies before `upTo` durable; resolves to the offset behind it. */
  constructor(flushedOffset: number, sync: (upTo: number) => Promise<number>) {
    this.#flushedOffset = flushedOffset;
    this.#sync = sync;
  }

  get flushedOffset(): number {
    return this.#flushedOffset;
  }

  /** Why no sync may succeed any more; undefined while none has failed. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Resolves when everything before `offset` survives a power cut; rejects where that failed. */
  flushed(offset: number): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    if (offset <= this.#flushedOffset) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ offset, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when no sync is running any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Everything before `offset` has been synced by other means. */
  raise(offset: number): void {
    this.#flushedOffset = Math.max(this.#flushedOffset, offset);
  }

  /** The log was cut: nothing from `offset` on is in it any more. */
  lower(offset: number): void {
    this.#flushedOffset = Math.min(this.#flushedOffset, offset);
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiters.length > 0) {
        const upTo = Math.max(...this.#waiters.map(({ offset }) => offset));
        this.#flushedOffset = Math.max(this.#flushedOffset, await this.#sync(upTo));
        const waiters = this.#waiters;
        this.#waiters = waiters.filter(({ offset }) => offset > this.#flushedOffset);
        for (const { offset, resolve } of waiters) if (offset <= this.#flushedOffset) resolve();
      }
    } catch (error) {
      if (!isPassing(error)) this.#failure = { error };
      for (const { reject } of this.#waiters.splice(0)) reject(error);
    } finally {
      this.#running = undefined;
    }
  }
}
