import type { Counter } from '../system/index.js';
import {
  type AppendResult,
  type EpochEnd,
  type Log,
  LogError,
  type TimestampedOffset,
} from './log/index.js';
import type { TopicSettings } from './properties/index.js';

/** Which partition it is. */
export interface PartitionId {
  readonly topic: string;
  readonly topicId: string;
  readonly index: number;
}

/** What is counted for the metrics, for all partitions of a topic together. */
export interface TopicMeters {
  readonly recordsIn: Counter;
  readonly bytesIn: Counter;
  readonly bytesOut: Counter;
}

/**
 * A partition this broker leads: its log, and what only a leader knows. The log may be missing
 * while nothing was ever appended (internal topics get their files with the first append).
 */
export class Partition {
  /** Told of every append, with its bytes. */
  private readonly watchers = new Set<(appendedBytes: number) => void>();
  private closed = false;

  constructor(
    readonly id: PartitionId,
    /** Epoch of this broker's leadership; written into each batch. */
    public leaderEpoch: number,
    public settings: TopicSettings,
    /** Replicas in sync, this one included. */
    private readonly inSyncReplicas: number,
    private readonly meters: TopicMeters,
    private log: Log | undefined,
  ) {}

  get startOffset(): number {
    return this.log?.startOffset ?? 0;
  }

  /** The offset the next record gets. */
  get endOffset(): number {
    return this.log?.endOffset ?? 0;
  }

  /** Readers see what lies before it. With one replica that is everything in the log. */
  get highWatermark(): number {
    return this.endOffset;
  }

  /** Bytes of the log on disk, without indexes. */
  get sizeBytes(): number {
    return this.log?.sizeBytes ?? 0;
  }

  /** Epoch of the newest records in the log, -1 where there are none. */
  get latestEpoch(): number {
    return this.log?.latestEpoch ?? -1;
  }

  /** The largest id of an idempotent producer that the log remembers, -1 where there is none. */
  get highestProducerId(): number {
    return this.log?.highestProducerId ?? -1;
  }

  /** Whether the log remembers an idempotent producer of this id. */
  knowsProducer(producerId: number): boolean {
    return this.log?.knowsProducer(producerId) ?? false;
  }

  get hasLog(): boolean {
    return this.log !== undefined;
  }

  /** Gives a partition without files its log. */
  attach(log: Log): void {
    this.log = log;
  }

  /** Whether acks=all may be promised: `min.insync.replicas`. */
  get hasEnoughReplicas(): boolean {
    return this.inSyncReplicas >= this.settings.minInsyncReplicas;
  }

  /** Appends whole batches, which the log stamps in place. Throws LogError. */
  append(records: Buffer): AppendResult {
    const result = this.opened().append(records, { leaderEpoch: this.leaderEpoch });
    if (result.duplicate) return result;
    this.meters.recordsIn.inc(result.lastOffset - result.baseOffset + 1);
    this.meters.bytesIn.inc(records.length);
    for (const watcher of this.watchers) watcher(records.length);
    return result;
  }

  /** Resolves when an append is on disk; undefined where `flush.messages` asks for no sync. */
  durable({ flushFirst, lastOffset }: AppendResult): Promise<void> | undefined {
    return flushFirst ? this.opened().flushed(lastOffset + 1) : undefined;
  }

  /** Whole batches from the one that holds `offset` on. Throws LogError OFFSET_OUT_OF_RANGE. */
  read(offset: number, maxBytes: number, minOneBatch: boolean): Buffer | Promise<Buffer> {
    const maxOffset = this.highWatermark;
    if (offset < this.startOffset || offset > maxOffset) {
      throw new LogError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${offset} of ${this.id.topic}-${this.id.index} is not within ` +
          `${this.startOffset} to ${maxOffset}`,
      );
    }
    return this.log?.read(offset, maxBytes, { maxOffset, minOneBatch }) ?? NOTHING;
  }

  /** Counts what a reader was given. */
  countRead(bytes: number): void {
    this.meters.bytesOut.inc(bytes);
  }

  /** The first record at or after `timestamp` (milliseconds); undefined where there is none. */
  async offsetForTimestamp(timestamp: number): Promise<TimestampedOffset | undefined> {
    return this.log?.offsetForTimestamp(timestamp);
  }

  /** The record with the largest timestamp; undefined in an empty log. */
  async offsetForMaxTimestamp(): Promise<TimestampedOffset | undefined> {
    return this.log?.offsetForMaxTimestamp();
  }

  /** Where `epoch`, or the last one before it, ended (KIP-101). */
  endOfEpoch(epoch: number): EpochEnd {
    return this.log?.offsetForLeaderEpoch(epoch) ?? { epoch: -1, endOffset: -1 };
  }

  /** Calls back after each append; returns a function that stops that. */
  onAppend(watcher: (appendedBytes: number) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** From now on this broker leads in another epoch. */
  lead(epoch: number): void {
    this.leaderEpoch = epoch;
  }

  /** Takes new properties of the topic. */
  configure(settings: TopicSettings): void {
    this.settings = settings;
    this.log?.configure(settings.log);
  }

  /** Deletes what retention no longer wants. */
  async applyRetention(now: number): Promise<void> {
    await this.log?.applyRetention(now, this.highWatermark);
  }

  /** What the checkpoints say of it. */
  checkpoint() {
    const { topic, index: partition } = this.id;
    const { startOffset, highWatermark, log } = this;
    return { topic, partition, startOffset, highWatermark, recoveryPoint: log?.flushedOffset ?? 0 };
  }

  /** Wakes who waits and closes the log: what is in it is durable then. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const watcher of this.watchers) watcher(Number.POSITIVE_INFINITY);
    await this.log?.close();
  }

  private opened(): Log {
    if (this.log === undefined || this.closed) {
      const { topic, index } = this.id;
      throw new LogError('LOG_CLOSED', `${topic}-${index} has no open log`);
    }
    return this.log;
  }
}

const NOTHING = Buffer.alloc(0);
