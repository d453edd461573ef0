import type { Counter } from '../system/index.js';
import {
  type AppendResult,
  type DecompressionBudget,
  type EpochEnd,
  type Log,
  LogError,
  type TimestampedOffset,
} from './log/index.js';
import type { TopicSettings } from './properties/index.js';
import type { Shortages } from './shortages.js';

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

/** What is known of a log that is not open. */
export interface KnownLog {
  readonly startOffset: number;
  readonly recoveryPoint: number;
}

/**
 * A partition this broker leads: its log, and what only a leader knows. The log may be missing
 * while nothing was ever appended (internal topics get their files with the first append), or
 * because the disk failed it: then the partition is offline.
 */
export class Partition {
  /** Told of every append, with its bytes. */
  private readonly watchers = new Set<(appendedBytes: number) => void>();
  private closed = false;
  /** Why the log is not to be used; its files are as they may be. */
  private failure: LogError | undefined;
  private expected: KnownLog = { startOffset: 0, recoveryPoint: 0 };
  /** Where the log ended that failed: it must not end before that when it comes back. */
  private lost: { endOffset: number } | undefined;
  private log: Log | undefined;
  /** The last append was refused for want of room or descriptors. */
  private wasRefused = false;

  constructor(
    readonly id: PartitionId,
    /** Epoch of this broker's leadership; written into each batch. */
    public leaderEpoch: number,
    public settings: TopicSettings,
    /** Replicas in sync, this one included. */
    private readonly inSyncReplicas: number,
    private readonly meters: TopicMeters,
    private readonly shortages: Shortages,
  ) {}

  /** As its directory is called. */
  get name(): string {
    return `${this.id.topic}-${this.id.index}`;
  }

  get startOffset(): number {
    return this.log?.startOffset ?? this.expected.startOffset;
  }

  /** The offset the next record gets. */
  get endOffset(): number {
    return this.log?.endOffset ?? this.lost?.endOffset ?? this.expected.startOffset;
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
    return this.log?.producers.highestId ?? -1;
  }

  /** Whether the log remembers an idempotent producer of this id. */
  knowsProducer(producerId: number): boolean {
    return this.log?.producers.get(producerId) !== undefined;
  }

  /** Whether there are files of it, which may be out of order. */
  get hasLog(): boolean {
    return this.log !== undefined || this.isOffline;
  }

  /** The disk failed it: clients are refused with KAFKA_STORAGE_ERROR until it comes back. */
  get isOffline(): boolean {
    return this.failure !== undefined;
  }

  /** What recovery may believe of it. */
  get known(): KnownLog {
    const { log } = this;
    if (log === undefined) return this.expected;
    return { startOffset: log.startOffset, recoveryPoint: log.flushedOffset };
  }

  /** Says what is known before the log is open. */
  expect({ startOffset, recoveryPoint }: KnownLog): void {
    this.expected = { startOffset, recoveryPoint };
  }

  /** Gives it its log, opened by now; resolves when it leads in it. */
  async attach(log: Log): Promise<void> {
    if (this.closed) {
      await log.discard();
      return;
    }
    this.log = log;
    this.failure = undefined;
    this.lost = undefined;
    await log.lead(this.leaderEpoch);
  }

  /** The disk failed: nobody is served until a log is attached again. */
  goOffline(failure: LogError): void {
    this.failure = failure;
  }

  /** Lets go of a log that failed; resolves to where it ended, where that is known. */
  async detach(): Promise<{ endOffset: number } | undefined> {
    const { log } = this;
    if (log === undefined) return this.lost;
    this.expected = this.known;
    this.lost = { endOffset: log.endOffset };
    this.log = undefined;
    await log.discard();
    return this.lost;
  }

  /** Whether acks=all may be promised: `min.insync.replicas`. */
  get hasEnoughReplicas(): boolean {
    return this.inSyncReplicas >= this.settings.minInsyncReplicas;
  }

  /** Appends whole batches, which the log stamps in place. Throws LogError. */
  append(records: Buffer, budget?: DecompressionBudget): AppendResult {
    const result = this.appendToLog(records, budget);
    if (result.duplicate) return result;
    this.meters.recordsIn.inc(result.lastOffset - result.baseOffset + 1);
    this.meters.bytesIn.inc(records.length);
    for (const watcher of this.watchers) watcher(records.length);
    return result;
  }

  private appendToLog(records: Buffer, budget?: DecompressionBudget): AppendResult {
    const log = this.opened();
    try {
      const result = log.append(records, { leaderEpoch: this.leaderEpoch, budget });
      if (this.wasRefused && !result.duplicate) {
        this.wasRefused = false;
        this.shortages.taken(this.name);
      }
      return result;
    } catch (error) {
      if (error instanceof LogError && this.shortages.refused(this.name, error)) {
        this.wasRefused = true;
      }
      throw error;
    }
  }

  /** Resolves when an append is on disk; undefined where `flush.messages` asks for no sync. */
  durable({ flushFirst, lastOffset }: AppendResult): Promise<void> | undefined {
    return flushFirst ? this.opened().flushed(lastOffset + 1) : undefined;
  }

  /** Whole batches from the one that holds `offset` on. Throws LogError OFFSET_OUT_OF_RANGE. */
  read(offset: number, maxBytes: number, minOneBatch: boolean): Buffer | Promise<Buffer> {
    if (this.failure !== undefined) throw this.offlineError(this.failure);
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
  async lead(epoch: number): Promise<void> {
    this.leaderEpoch = epoch;
    await this.log?.lead(epoch);
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
    return { topic, partition, highWatermark: this.highWatermark, ...this.known };
  }

  /** Syncs in the background what is sealed and could not be synced before. */
  syncSealed(): void {
    this.log?.syncSealed();
  }

  /**
   * Wakes who waits and closes the log: what is in it is durable then. Throws LogError where it
   * is not, and where the partition is offline.
   */
  async close(): Promise<void> {
    if (!this.end()) return;
    if (this.failure === undefined) return this.log?.close();
    await this.log?.discard();
    throw this.offlineError(this.failure);
  }

  /** Wakes who waits and lets go of the files, which are to be deleted. */
  async abandon(): Promise<void> {
    if (this.end()) await this.log?.discard();
  }

  /** False where it had ended before. */
  private end(): boolean {
    if (this.closed) return false;
    this.closed = true;
    for (const watcher of this.watchers) watcher(Number.POSITIVE_INFINITY);
    return true;
  }

  private opened(): Log {
    if (this.failure !== undefined) throw this.offlineError(this.failure);
    if (this.log === undefined || this.closed) {
      throw new LogError('LOG_CLOSED', `${this.name} has no open log`);
    }
    return this.log;
  }

  private offlineError(cause: LogError): LogError {
    const text = `${this.name} is offline, and tried again: ${cause.message}`;
    return new LogError('KAFKA_STORAGE_ERROR', text, { cause });
  }
}

const NOTHING = Buffer.alloc(0);
