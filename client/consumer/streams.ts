import type { FetchedBatch } from './fetched-batch.js';
import type { AssignedPartition } from './partition.js';

/** What a stream tells its consumer. */
interface StreamListener {
  /** Buffer space has become free. */
  onTaken(): void;
  /** The application has finished with the batch it had of this partition. */
  onFinished(partition: AssignedPartition): void;
}

/**
 * One ordered stream over some of the assigned partitions: their batches in turn, one at a time.
 * A batch counts as processed when the next one is asked for.
 */
export class BatchStream implements AsyncIterableIterator<FetchedBatch> {
  readonly #listener: StreamListener;
  /** Partitions that have something queued, in the order of their turns. */
  #ready: AssignedPartition[] = [];
  #current: { partition: AssignedPartition; version: number; nextOffset: number } | undefined;
  #wake: (() => void) | undefined;
  #ended: { error: Error | undefined } | undefined;

  constructor(listener: StreamListener) {
    this.#listener = listener;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Something is queued for this partition, or it has been resumed. */
  offer(partition: AssignedPartition): void {
    if (!this.#ready.includes(partition)) this.#ready.push(partition);
    this.#wake?.();
  }

  /** No more batches; the application sees `error` thrown, or the end. */
  end(error: Error | undefined): void {
    this.#ended ??= { error };
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<FetchedBatch, undefined>> {
    this.#finishCurrent();
    for (;;) {
      if (this.#ended?.error) throw this.#ended.error;
      if (this.#ended) return { done: true, value: undefined };
      const batch = this.#take();
      if (batch) return { done: false, value: batch };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  /** The application stops early; what it had counts as not processed. */
  async return(): Promise<IteratorResult<FetchedBatch, undefined>> {
    const current = this.#current;
    this.#current = undefined;
    if (current) {
      current.partition.inProcess = false;
      this.#listener.onFinished(current.partition);
    }
    return { done: true, value: undefined };
  }

  /** Records before `offset` of the current batch have been processed. */
  progress(offset: number): void {
    const current = this.#current;
    if (current && current.version === current.partition.version) {
      current.partition.processedOffset = offset;
    }
  }

  #take(): FetchedBatch | undefined {
    for (let turns = this.#ready.length; turns > 0; turns--) {
      const partition = this.#ready.shift();
      if (partition === undefined || partition.revoked) continue;
      if (partition.paused) continue;
      const batch = partition.shift();
      if (batch === undefined) continue;
      if (partition.queue.length > 0) this.#ready.push(partition);
      partition.inProcess = true;
      const { version } = partition;
      this.#current = { partition, version, nextOffset: batch.nextOffset };
      this.#listener.onTaken();
      return batch;
    }
    return undefined;
  }

  #finishCurrent(): void {
    const current = this.#current;
    if (current === undefined) return;
    this.progress(current.nextOffset);
    this.#current = undefined;
    current.partition.inProcess = false;
    this.#listener.onFinished(current.partition);
  }
}
