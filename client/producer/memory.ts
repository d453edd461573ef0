import { BatchWriter } from '../../protocol/records/index.js';

/** Writers without a batch are kept for the next ones; more would only hold memory. */
const MAX_IDLE_WRITERS = 8;

/**
 * The bound on what the producer holds: batches being filled count with their whole capacity,
 * finished ones with the memory they keep.
 */
export class ProducerMemory {
  private used = 0;
  private readonly idleWriters: BatchWriter[] = [];
  private readonly waiters: (() => void)[] = [];
  /** What the largest batch needs for which there was no room. */
  private wantedBytes: number;

  constructor(
    private readonly maxBytes: number,
    private readonly batchBytes: number,
    /** Somebody waits: send what there is. */
    private readonly onPressure: () => void,
  ) {
    this.wantedBytes = batchBytes;
  }

  get usedBytes(): number {
    return this.used;
  }

  /** Somebody waits for memory. */
  get isPressed(): boolean {
    return this.waiters.length > 0;
  }

  /** Room for one more batch, also for the one that was refused last. */
  get isWritable(): boolean {
    return this.used === 0 || this.used + this.wantedBytes <= this.maxBytes;
  }

  /** A writer for a batch of at least `minBytes`; undefined while memory is full. */
  openWriter(minBytes: number): BatchWriter | undefined {
    const capacity = Math.max(minBytes, this.batchBytes);
    // A single batch larger than the bound must be able to pass, alone.
    if (this.used > 0 && this.used + capacity > this.maxBytes) {
      this.wantedBytes = Math.max(this.wantedBytes, capacity);
      return undefined;
    }
    this.used += capacity;
    if (capacity > this.batchBytes) return new BatchWriter(capacity);
    return this.idleWriters.pop() ?? new BatchWriter(this.batchBytes);
  }

  /** A batch is closed: from now on it counts with `batchBytes`; the writer is free if it may. */
  closeWriter(writer: BatchWriter, retainedBytes: number, isReusable: boolean): void {
    this.used += retainedBytes - writer.capacityBytes;
    if (!isReusable || writer.capacityBytes !== this.batchBytes) return;
    if (this.idleWriters.length < MAX_IDLE_WRITERS) this.idleWriters.push(writer);
  }

  /** A batch has gone. `memory`: its bytes, where nobody can be reading them any more. */
  release(retainedBytes: number, memory: Buffer | undefined): void {
    this.used -= retainedBytes;
    if (
      memory?.buffer.byteLength === this.batchBytes &&
      this.idleWriters.length < MAX_IDLE_WRITERS
    ) {
      const writer = new BatchWriter(this.batchBytes);
      writer.reset(memory);
      this.idleWriters.push(writer);
    }
    this.wake();
  }

  /** More memory is held than was counted (a batch was split). */
  add(bytes: number): void {
    this.used += bytes;
  }

  /** Resolves when there may be room. */
  wait(): Promise<void> {
    if (this.isWritable) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiters.push(resolve);
      this.onPressure();
    });
  }

  /** Wakes everybody who waits, if there is room (or `force`, when the producer stops). */
  wake(force = false): void {
    if (!(force || this.isWritable)) return;
    this.wantedBytes = this.batchBytes;
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}
