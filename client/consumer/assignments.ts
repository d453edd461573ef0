import type { Clock } from '../../system/index.js';
import { partitionKey, type TopicPartition } from '../topic-partition.js';
import type { Fetcher } from './fetcher.js';
import { AssignedPartition } from './partition.js';
import type { BatchStream } from './streams.js';

/** The partitions a consumer has, and which stream each belongs to. */
export class Assignments {
  readonly #fetcher: Fetcher;
  #byKey = new Map<string, AssignedPartition>();
  #streams: readonly BatchStream[] = [];
  #streamByKey = new Map<string, BatchStream>();
  #ended: { error: Error | undefined } | undefined;
  /** Told when the application has finished with a batch. */
  readonly #waiting = new Set<() => void>();

  constructor(fetcher: Fetcher) {
    this.#fetcher = fetcher;
  }

  get partitions(): AssignedPartition[] {
    return [...this.#byKey.values()];
  }

  get(at: TopicPartition): AssignedPartition | undefined {
    return this.#byKey.get(partitionKey(at));
  }

  streamOf(partition: AssignedPartition): BatchStream | undefined {
    return this.#streamByKey.get(partitionKey(partition));
  }

  /** Takes all partitions away and assigns these, none of which has a position yet. */
  replace(partitions: readonly TopicPartition[]): AssignedPartition[] {
    this.stopDelivery();
    const assigned = partitions.map(
      ({ topic, partition }) => new AssignedPartition(topic, partition),
    );
    this.#byKey = new Map(assigned.map((each) => [partitionKey(each), each]));
    this.#dealOut();
    this.#fetcher.set(assigned);
    return assigned;
  }

  /** Nothing more is delivered or fetched; offsets can still be committed. */
  stopDelivery(): void {
    for (const partition of this.#byKey.values()) {
      partition.revoked = true;
      partition.clear();
    }
    this.#fetcher.set([]);
  }

  setStreams(streams: readonly BatchStream[]): void {
    for (const stream of this.#streams) stream.abandon();
    this.#streams = streams;
    this.#dealOut();
    if (this.#ended) this.endStreams(this.#ended.error);
  }

  endStreams(error: Error | undefined): void {
    this.#ended ??= { error };
    for (const stream of this.#streams) stream.end(error);
  }

  /** The application has finished with the batch it had of this partition. */
  noteFinished(partition: AssignedPartition): void {
    if (partition.queue.length > 0) this.streamOf(partition)?.offer(partition);
    for (const wake of this.#waiting) wake();
  }

  /** Resolves once no batch is in the application's hands, at the latest after `limitMs`. */
  async finished(clock: Clock, limitMs: number): Promise<void> {
    const isBusy = () => this.partitions.some((partition) => partition.inProcess);
    if (!isBusy()) return;
    await new Promise<void>((resolve) => {
      const finish = () => {
        timer.cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const wake = () => {
        if (!isBusy()) finish();
      };
      const timer = clock.after(limitMs, finish);
      this.#waiting.add(wake);
    });
  }

  #dealOut(): void {
    this.#streamByKey = new Map();
    if (this.#streams.length === 0) return;
    const sorted = this.partitions.sort(
      (a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition,
    );
    for (const [index, partition] of sorted.entries()) {
      const stream = this.#streams[index % this.#streams.length] as BatchStream;
      this.#streamByKey.set(partitionKey(partition), stream);
      if (partition.queue.length > 0) stream.offer(partition);
    }
  }
}
