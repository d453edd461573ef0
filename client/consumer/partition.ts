import { ZERO_UUID } from '../../protocol/index.js';
import type { TopicPartition } from '../topic-partition.js';
import type { FetchedBatch } from './fetched-batch.js';

/** One partition that is assigned to a consumer. */
export class AssignedPartition implements TopicPartition {
  /** The topic's id when the partition was first fetched; ZERO_UUID until then. */
  topicId = ZERO_UUID;
  /** Where the next fetch starts; -1 while that is not known: nothing is fetched. */
  fetchOffset = -1;
  /** Behind the last record that the application has finished with; -1 before the first. */
  processedOffset = -1;
  /** What the group has on record; -1 where nothing is known. */
  committedOffset = -1;
  highWatermark = -1;
  lastStableOffset = -1;
  paused = false;
  /** Grows with each seek: answers to older fetches are dropped. */
  version = 0;
  /** A fetch that covers it is under way. */
  inFlight = false;
  /** Not fetched before this monotonic time, after an error. */
  notBefore = 0;
  failures = 0;
  /** Taken away: nothing of it is delivered or committed any more. */
  revoked = false;
  /** Fetched, not yet delivered. */
  readonly queue: FetchedBatch[] = [];
  /** Of the queue. */
  bufferedBytes = 0;
  /** A batch of it is in the application's hands. */
  inProcess = false;

  constructor(
    readonly topic: string,
    readonly partition: number,
  ) {}

  /** Reads on from `offset`; what is buffered is dropped. */
  seek(offset: number): void {
    this.version++;
    this.fetchOffset = offset;
    this.processedOffset = offset;
    this.clear();
  }

  /** Its position must be looked up: nothing is fetched until `seek`. */
  unseat(): void {
    this.version++;
    this.fetchOffset = -1;
    this.clear();
  }

  clear(): void {
    this.queue.length = 0;
    this.bufferedBytes = 0;
  }

  push(batch: FetchedBatch): void {
    this.queue.push(batch);
    this.bufferedBytes += batch.sizeBytes;
    this.fetchOffset = batch.nextOffset;
  }

  /** Puts what was taken and not finished back before everything else. */
  putBack(batch: FetchedBatch): void {
    this.queue.unshift(batch);
    this.bufferedBytes += batch.sizeBytes;
  }

  shift(): FetchedBatch | undefined {
    const batch = this.queue.shift();
    if (batch) this.bufferedBytes -= batch.sizeBytes;
    return batch;
  }
}
