import { type Clock, detach, type Timer } from '../../system/index.js';
import type { TopicPartitionOffset } from '../topic-partition.js';
import type { AssignedPartition } from './partition.js';
import type { ConsumerSettings } from './settings.js';

/** What commits, and of which partitions. */
interface Owner {
  partitions(): readonly AssignedPartition[];
  commit(
    offsets: readonly TopicPartitionOffset[],
    options: { signal?: AbortSignal },
  ): Promise<void>;
}

/** Commits what has been processed, again and again. */
export class AutoCommit {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #owner: Owner;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(clock: Clock, settings: ConsumerSettings, owner: Owner) {
    this.#clock = clock;
    this.#intervalMs = settings.autoCommitIntervalMs;
    this.#owner = owner;
  }

  /** Idempotent. */
  start(): void {
    if (this.#timer || this.#stopped) return;
    this.#timer = this.#clock.after(this.#intervalMs, () => {
      const again = () => {
        this.#timer = undefined;
        this.start();
      };
      // What fails now is committed the next time, or at revocation.
      detach(this.flush().then(again), again);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** What has been processed and is not on record with the group. */
  processed(): TopicPartitionOffset[] {
    return this.#owner
      .partitions()
      .filter((each) => each.processedOffset >= 0 && each.processedOffset !== each.committedOffset)
      .map(({ topic, partition, processedOffset: offset }) => ({ topic, partition, offset }));
  }

  /** Commits it. */
  flush(signal?: AbortSignal): Promise<void> {
    return this.#owner.commit(this.processed(), signal ? { signal } : {});
  }
}
