import type { OffsetsLog } from '../../../broker/group/index.js';
import type { Clock } from '../../../system/index.js';

/** `__consumer_offsets` in memory: it outlives the coordinator, as a disk outlives a process. */
export class MemoryLog implements OffsetsLog {
  readonly partitionCount = 50;
  readonly batches = new Map<number, Buffer[]>();
  /** How long an append takes until it is durable. */
  delayMs = 0;
  /** Thrown by appends while set. */
  failure: Error | undefined;

  constructor(public clock: Clock) {}

  partitions(): readonly number[] {
    return [...this.batches.keys()];
  }

  async append(partition: number, batch: Buffer): Promise<void> {
    const { failure } = this;
    if (failure === undefined) {
      const batches = this.batches.get(partition) ?? [];
      this.batches.set(partition, batches);
      batches.push(Buffer.from(batch));
    }
    if (this.delayMs > 0) await this.clock.sleep(this.delayMs);
    if (failure !== undefined) throw failure;
  }

  async *read(partition: number): AsyncGenerator<Buffer> {
    const chunk = Buffer.concat(this.batches.get(partition) ?? []);
    await this.clock.sleep(1);
    yield chunk;
    // The promise of the interface: a chunk lives until the next one.
    chunk.fill(0);
  }
}
