import type { FetchedBatch } from './fetched-batch.js';
import type { AssignedPartition } from './partition.js';

/** What a stream tells its consumer. */
interface StreamListener {
  /** Buffer space has become free. */
  onTaken(): void;
  /** The application has finished with the batch it had of this partition. */
  onFinished(partition: AssignedPartition): void;
}

/** The batch that is in the application's hands. */
interface Current {
  readonly partition: AssignedPartition;
  readonly version: number;
  readonly batch: FetchedBatch;
}

/**
 * One ordered stream over some of the assigned partitions: their batches in turn, one at a time.
 * A batch counts as processed when the next one is asked for.
 */
export class BatchStream implements AsyncIterableIterator<FetchedBatch> {
  readonly #listener: StreamListener;
  /** Partitions that have something queued, in the order of their turns. */
  #ready: AssignedPartition[] = [];
  #current: Current | undefined;
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
    if (this.#current) {
      this.progress(this.#current.batch.nextOffset);
      this.#letGo(this.#current);
    }
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

  /**
   * The application stops early: what it had counts as processed as far as `progress` says, and
   * the rest comes again, should it go on reading.
   */
  async return(): Promise<IteratorResult<FetchedBatch, undefined>> {
    this.setAside();
    return { done: true, value: undefined };
  }

  /** Records before `offset` of the current batch have been processed. */
  progress(offset: number): void {
    const current = this.#current;
    if (current && current.version === current.partition.version) {
      current.partition.processedOffset = offset;
    }
  }

  /** Whether the rest of the current batch is still wanted: here, now, and next. */
  get isCurrent(): boolean {
    const { partition, version } = this.#current ?? {};
    if (partition === undefined || this.#ended) return false;
    return partition.version === version && !partition.revoked && !partition.paused;
  }

  /** Gives the rest of the current batch back, as far as it is still wanted at all. */
  setAside(): void {
    const current = this.#current;
    if (current === undefined) return;
    const { partition, batch, version } = current;
    if (partition.version === version && !partition.revoked) {
      const at = Math.max(batch.firstOffset, partition.processedOffset);
      const rest = at < batch.nextOffset ? batch.from(at) : undefined;
      if (rest) partition.putBack(rest);
      // Its memory is somebody else's by now: it is fetched again.
      else if (at < batch.nextOffset) partition.seek(at);
    }
    this.#letGo(current);
  }

  /** Other streams take its place; what it had is neither processed nor handed out again. */
  abandon(): void {
    this.end(undefined);
    if (this.#current) this.#letGo(this.#current);
  }

  #take(): FetchedBatch | undefined {
    for (let turns = this.#ready.length; turns > 0; turns--) {
      const partition = this.#ready.shift();
      // One that is in another stream's hands is offered again once that has finished.
      if (partition === undefined || partition.revoked || partition.inProcess) continue;
      if (partition.paused) continue;
      const batch = partition.shift();
      if (batch === undefined) continue;
      if (partition.queue.length > 0) this.#ready.push(partition);
      partition.inProcess = true;
      this.#current = { partition, version: partition.version, batch };
      this.#listener.onTaken();
      return batch;
    }
    return undefined;
  }

  #letGo({ partition }: Current): void {
    this.#current = undefined;
    partition.inProcess = false;
    this.#listener.onFinished(partition);
  }
}
