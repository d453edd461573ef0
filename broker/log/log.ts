import { detach, type Timer } from '../../system/index.js';
import { appendBatches } from './appender.js';
import { IndexMismatchError, readSegment } from './cold-read.js';
import type { LogEnvironment } from './environment.js';
import type { EpochEnd, LeaderEpochs } from './epochs.js';
import { Flusher } from './flusher.js';
import { findSegment, rebuildIndexes, scanSegment } from './load-segment.js';
import { isPassing, LogError, toStorageError } from './log-error.js';
import type {
  AppendOptions,
  AppendResult,
  LogOptions,
  ReadOptions,
  TimestampedOffset,
} from './log-options.js';
import type { Producers } from './producers.js';
import { type RecoveredLog, recoverLog } from './recover.js';
import { segmentsToDelete } from './retention.js';
import type { Segment } from './segment.js';
import type { LogSettings } from './settings.js';
import { LogStorage } from './storage.js';
import { TailCache, type TailRead } from './tail-cache.js';
import { TailMemory } from './tail-memory.js';
import { findByTimestamp } from './time-lookup.js';
import { Turns } from './turns.js';

const NOTHING = Buffer.alloc(0);
/** Kafka's default of `flush.ms`, and anything else beyond 24 days, stands for never. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** How soon a sync that is due is tried again where it could not begin. */
const FLUSH_AGAIN_MS = 1000;
const OWN_TAIL_BYTES = 8 * 1024 * 1024;

/**
 * The log of one partition, in Apache Kafka's on-disk format. Appends go to the page cache and
 * return at once; reads of the newest batches come from memory; all other disk access is
 * asynchronous. Every method throws or rejects with LogError.
 */
export class Log {
  readonly directory: string;
  readonly #env: LogEnvironment;
  #settings: LogSettings;
  readonly #storage: LogStorage;
  readonly #producers: Producers;
  readonly #epochs: LeaderEpochs;
  readonly #tail: TailCache;
  readonly #flusher: Flusher;
  readonly #onRecoveryPointLowered: (() => Promise<void>) | undefined;
  readonly #onFailure: ((failure: LogError) => void) | undefined;
  readonly #turns: Turns;
  /** A sync of the sealed segments runs or waits for its turn. */
  #syncingSealed = false;
  #startOffset: number;
  /** Why nothing may be appended any more: the disk failed, or the log is closed. */
  #ended: LogError | undefined;
  /** Grows with each cut, so that a read that was under way starts over. */
  #cuts = 0;
  #flushTimer: Timer | undefined;

  /**
   * Opens the log in `directory`, created where missing. After an unclean stop everything from
   * the recovery point on is verified and a torn tail is cut off; where valid batches follow bad
   * bytes, the damaged file is kept beside as `.corrupt` and reported.
   */
  static async open(
    env: LogEnvironment,
    directory: string,
    settings: LogSettings,
    options: LogOptions = {},
  ): Promise<Log> {
    const { clean = false, recoveryPoint = 0, startOffset = 0, resume } = options;
    const recovery = { clean, recoveryPoint, startOffset, resume };
    try {
      const recovered = await recoverLog(env, directory, settings, recovery);
      const log = new Log(env, directory, settings, recovered, options);
      if (recovered.flushedOffset < recoveryPoint) await log.#onRecoveryPointLowered?.();
      // What was written again must be on disk before the log is trusted again.
      if (resume !== undefined)
        await log.flush().catch((error) => log.discard().then(() => Promise.reject(error)));
      return log;
    } catch (error) {
      throw toStorageError(error, `${directory} could not be opened`);
    }
  }

  private constructor(
    env: LogEnvironment,
    directory: string,
    settings: LogSettings,
    recovered: RecoveredLog,
    options: LogOptions,
  ) {
    this.#env = env;
    this.directory = directory;
    this.#settings = settings;
    this.#producers = recovered.producers;
    this.#epochs = recovered.epochs;
    this.#startOffset = recovered.startOffset;
    this.#storage = new LogStorage(env, directory, recovered, recovered.unsynced);
    this.#tail = new TailCache(options.tail ?? new TailMemory(OWN_TAIL_BYTES));
    this.#flusher = new Flusher(recovered.flushedOffset, (upTo) => this.#sync(upTo));
    this.#onRecoveryPointLowered = options.onRecoveryPointLowered;
    this.#onFailure = options.onFailure;
    this.#turns = options.turns ?? new Turns();
  }

  get settings(): LogSettings {
    return this.#settings;
  }

  /** Changes the settings for what comes; segments stay as they are. */
  configure(settings: LogSettings): void {
    this.#settings = settings;
  }

  /** Offset of the first record that may be read. */
  get startOffset(): number {
    return this.#startOffset;
  }

  /** Offset that the next record will get. */
  get endOffset(): number {
    return this.#storage.segments.active.nextOffset;
  }

  /** Everything before it survives a power cut: the recovery point. */
  get flushedOffset(): number {
    return this.#flusher.flushedOffset;
  }

  /** Bytes of all segments, without indexes. */
  get sizeBytes(): number {
    return this.#storage.segments.sizeBytes;
  }

  get segmentCount(): number {
    return this.#storage.segments.list.length;
  }

  /** Epoch of the newest records, -1 where there are none. */
  get latestEpoch(): number {
    return this.#epochs.latest;
  }

  /** Idempotent producers that the log remembers. */
  get producerCount(): number {
    return this.#producers.size;
  }

  /** Those producers. */
  get producers(): Pick<Producers, 'highestId' | 'get'> {
    return this.#producers;
  }

  /**
   * Appends whole batches; synchronous, into the page cache. Offsets and leader epoch are written
   * into `batches` itself; its memory is not kept. Throws LogError, then nothing was appended.
   */
  append(batches: Buffer, options: AppendOptions): AppendResult {
    if (this.#ended !== undefined) throw this.#ended;
    const target = {
      storage: this.#storage,
      producers: this.#producers,
      epochs: this.#epochs,
      tail: this.#tail,
      settings: this.#settings,
      nowMs: this.#env.clock.now(),
    };
    const { active } = this.#storage.segments;
    let result: AppendResult;
    try {
      result = appendBatches(target, batches, options);
    } catch (error) {
      if (error instanceof LogError && error.code === 'KAFKA_STORAGE_ERROR') this.#end(error);
      throw error;
    }
    if (active !== this.#storage.segments.active) this.syncSealed();
    const waits = this.#flushIfDue() && result.lastOffset >= this.flushedOffset;
    return waits ? { ...result, flushFirst: true } : result;
  }

  /** Begins or plans the sync that is due; true where acknowledgements wait for it. */
  #flushIfDue(): boolean {
    const unflushed = this.endOffset - this.flushedOffset;
    if (unflushed === 0 || this.#ended !== undefined) return false;
    if (unflushed >= this.#settings.flushMessages) {
      this.#flushSoon();
      return true;
    }
    if (this.#settings.flushMs <= LONGEST_TIMER_MS) this.#flushAfter(this.#settings.flushMs);
    return false;
  }

  #flushAfter(delayMs: number): void {
    if (this.#ended !== undefined) return;
    this.#flushTimer ??= this.#env.clock.after(delayMs, () => {
      this.#flushTimer = undefined;
      this.#flushSoon();
    });
  }

  /** A failure ends the log; one for want of room or descriptors does not: it is due still. */
  #flushSoon(): void {
    detach(this.flush(), () => this.#flushAfter(FLUSH_AGAIN_MS));
  }

  /** Resolves when everything appended so far survives a power cut. */
  flush(): Promise<void> {
    return this.#flusher.flushed(this.endOffset);
  }

  /** Resolves when everything before `offset` survives a power cut; calls share their syncs. */
  flushed(offset: number): Promise<void> {
    return this.#flusher.flushed(Math.min(offset, this.endOffset));
  }

  /**
   * Makes the segments durable that are written no more, in the background: after a kill only
   * what came later is scanned. Where no descriptor was left for it, the next call goes on.
   */
  syncSealed(): void {
    const sealed = () => this.#storage.segments.active.baseOffset;
    if (this.#syncingSealed || sealed() <= this.flushedOffset || this.#ended !== undefined) return;
    this.#syncingSealed = true;
    const end = (again: boolean) => {
      this.#syncingSealed = false;
      // Segments that were sealed meanwhile have their turn behind other logs.
      if (again) this.syncSealed();
    };
    const synced = this.#turns.take(async () => {
      if (this.#ended === undefined) await this.flushed(sealed());
    });
    detach(
      synced.then(() => end(true)),
      () => end(false),
    );
  }

  async #sync(upTo: number): Promise<number> {
    try {
      return await this.#storage.sync(upTo);
    } catch (error) {
      const failure = toStorageError(error, `${this.directory} could not be synced`);
      if (!isPassing(failure)) this.#end(failure);
      throw failure;
    }
  }

  #end(reason: LogError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    const { directory } = this;
    this.#env.log.error('a log takes no more appends', { directory, reason: reason.message });
    this.#onFailure?.(reason);
  }

  /**
   * Whole batches from the one that holds `offset` (it may begin before) or the first behind it,
   * at most `maxBytes`; synchronous where they are in memory. May return less than there is at
   * the end of a segment. Empty where nothing may be read. Throws OFFSET_OUT_OF_RANGE.
   */
  read(offset: number, maxBytes: number, options: ReadOptions = {}): Buffer | Promise<Buffer> {
    if (offset < this.#startOffset || offset > this.endOffset) throw this.#outOfRange(offset);
    this.#tail.expectReads();
    const maxOffset = Math.min(options.maxOffset ?? this.endOffset, this.endOffset);
    if (offset >= maxOffset) return NOTHING;
    const query = { offset, maxBytes, maxOffset, minOneBatch: options.minOneBatch ?? true };
    return this.#tail.read(query) ?? this.#readCold(query);
  }

  async #readCold(query: TailRead): Promise<Buffer> {
    const { segments } = this.#storage;
    const cuts = this.#cuts;
    let segment: Segment | undefined = segments.holding(query.offset);
    try {
      while (segment !== undefined && segment.baseOffset < query.maxOffset) {
        const current: Segment = segment;
        const found = await this.#indexed(current, () => readSegment(current, query));
        if (cuts !== this.#cuts) return await this.read(query.offset, query.maxBytes, query);
        if (found !== undefined) return found;
        segment = segments.after(segment);
      }
      return NOTHING;
    } catch (error) {
      if (query.offset < this.#startOffset) throw this.#outOfRange(query.offset);
      throw toStorageError(error, `${this.directory} could not be read`);
    }
  }

  /** Does `work` with the segment's index; once more with a new one where that turns out wrong. */
  async #indexed<T>(segment: Segment, work: () => Promise<T>): Promise<T> {
    try {
      await this.#warm(segment);
      return await work();
    } catch (error) {
      if (!(error instanceof IndexMismatchError)) throw error;
      await this.#repairIndex(error);
      await this.#warm(segment);
      return await work();
    } finally {
      this.#storage.segments.leave(segment);
    }
  }

  /** Loads the segment's index, and lets go of the one that was not used for longest. */
  async #warm(segment: Segment): Promise<void> {
    this.#storage.segments.touch(segment);
    const { offsetIndex } = segment;
    if (offsetIndex.file.resident) return;
    const whole = await offsetIndex.file.load();
    if (whole && offsetIndex.isSane(segment.sizeBytes)) return;
    await this.#repairIndex(new IndexMismatchError(segment));
    await offsetIndex.file.load();
  }

  async #warmTimes(segment: Segment): Promise<void> {
    const { timeIndex } = segment;
    if (timeIndex.file.resident) return;
    const whole = await timeIndex.file.load();
    if (whole && timeIndex.isSane(segment.nextOffset)) return;
    await this.#repairIndex(new IndexMismatchError(segment));
    await timeIndex.file.load();
  }

  async #repairIndex(mismatch: IndexMismatchError): Promise<void> {
    const { segment } = mismatch;
    this.#env.log.warn('an index is built anew', { reason: mismatch.message });
    // The active segment's entries are in use: without them its batches are found by walking.
    if (segment !== this.#storage.segments.active) {
      const fresh = findSegment(this.#env, this.directory, segment.baseOffset);
      await rebuildIndexes(fresh, this.#settings);
      fresh.close();
    }
    for (const { file } of [segment.offsetIndex, segment.timeIndex]) {
      file.forget(segment === this.#storage.segments.active);
    }
  }

  #outOfRange(offset: number): LogError {
    return new LogError(
      'OFFSET_OUT_OF_RANGE',
      `offset ${offset} is not in the log, which holds ${this.#startOffset} to ${this.endOffset}`,
    );
  }

  /**
   * The first record whose time is at or after `timestamp` (milliseconds); undefined where all
   * are older.
   */
  async offsetForTimestamp(timestamp: number): Promise<TimestampedOffset | undefined> {
    try {
      for (const segment of [...this.#storage.segments.list]) {
        if (segment.nextOffset <= this.#startOffset || segment.maxTimestamp < timestamp) continue;
        await this.#warmTimes(segment);
        const found = await this.#indexed(segment, () =>
          findByTimestamp(segment, timestamp, this.#startOffset),
        );
        if (found !== undefined) return found;
      }
      return undefined;
    } catch (error) {
      throw toStorageError(error, `${this.directory} could not be searched`);
    }
  }

  /** The first of the records with the largest time (KIP-734); undefined in an empty log. */
  async offsetForMaxTimestamp(): Promise<TimestampedOffset | undefined> {
    const newest = Math.max(...this.#storage.segments.list.map((one) => one.maxTimestamp));
    return newest < 0 ? undefined : this.offsetForTimestamp(newest);
  }

  /** Where a leader epoch ends, for clients and followers that check theirs (KIP-101). */
  offsetForLeaderEpoch(epoch: number): EpochEnd {
    return this.#epochs.endOffsetFor(epoch, this.endOffset);
  }

  /**
   * Cuts off every batch that holds `offset` or a later one. The caller appends nothing until it
   * has resolved; then the cut survives a power cut.
   */
  async truncateTo(offset: number): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    if (offset >= this.endOffset) return;
    if (offset < this.#startOffset) throw this.#outOfRange(offset);
    await this.#flusher.idle();
    const { segments } = this.#storage;
    const holding = segments.holding(offset);
    this.#cuts++;
    this.#tail.clear();
    this.#flusher.lower(offset);
    await this.#onRecoveryPointLowered?.();
    const behind = segments.list.filter(({ baseOffset }) => baseOffset > holding.baseOffset);
    await this.#storage.delete(behind, 0);
    await scanSegment(holding, this.#settings, {}, (batch) => batch.lastOffset < offset);
    holding.cutTail();
    this.#epochs.truncateFromEnd(holding.nextOffset);
    await this.#storage.reloadProducers();
    this.#storage.markUnsynced(holding);
    this.#flusher.lower(holding.nextOffset);
    this.#startOffset = Math.min(this.#startOffset, holding.nextOffset);
    this.#cuts++;
    await this.#flusher.flushed(holding.nextOffset);
  }

  /**
   * Records before `offset` are not readable any more; whole segments before it are deleted.
   * Resolves to the new start offset.
   */
  async deleteBefore(offset: number, highWatermark = this.endOffset): Promise<number> {
    if (offset > highWatermark) throw this.#outOfRange(offset);
    this.#moveStart(offset);
    await this.applyRetention(this.#env.clock.now(), highWatermark);
    return this.#startOffset;
  }

  /**
   * Deletes the segments that `retention.ms` and `retention.bytes` no longer keep and forgets
   * idle producers. Only what lies before the high watermark goes.
   * @returns the number of segments deleted
   */
  async applyRetention(nowMs: number, highWatermark = this.endOffset): Promise<number> {
    if (this.#ended !== undefined) return 0;
    this.#producers.expire(nowMs, this.#settings.producerIdExpirationMs);
    await this.#storage.nameDeleted();
    const { segments } = this.#storage;
    const { list } = segments;
    const { startOffset } = this;
    const input = { settings: this.#settings, nowMs, startOffset, highWatermark };
    let count = segmentsToDelete(list, input);
    if (count === list.length && !this.#rollForRetention()) count--;
    if (count === 0) return 0;
    const gone = list.slice(0, count);
    this.#moveStart((list[count] as Segment).baseOffset);
    await this.#storage.delete(gone, this.#settings.fileDeleteDelayMs);
    return count;
  }

  /** False where there is no room for a new segment: then the others go first. */
  #rollForRetention(): boolean {
    try {
      this.#storage.roll(this.#settings);
      return true;
    } catch (error) {
      if (isPassing(error)) return false;
      if (error instanceof LogError) this.#end(error);
      throw error;
    }
  }

  #moveStart(offset: number): void {
    if (offset <= this.#startOffset) return;
    this.#startOffset = offset;
    this.#epochs.truncateFromStart(offset);
  }

  /**
   * From the end of the log on this broker leads in `epoch` (KIP-101). Known at once; resolves
   * when it is written down, which the next sync does where this fails.
   */
  async lead(epoch: number): Promise<void> {
    this.#epochs.assign(epoch, this.endOffset);
    try {
      await this.#storage.saveEpochs();
    } catch (error) {
      const { directory } = this;
      this.#env.log.warn('a leader epoch is not written down yet', { directory, error });
    }
  }

  /** Lets go of all files and makes nothing durable: the log is to be deleted or opened anew. */
  async discard(): Promise<void> {
    this.#ended = new LogError('LOG_CLOSED', `${this.directory} is closed`);
    this.#flushTimer?.cancel();
    await this.#flusher.idle();
    this.#tail.clear();
    this.#storage.release();
  }

  /** Syncs and seals everything, so that the log may be opened as clean. Idempotent. */
  async close(): Promise<void> {
    const failed = this.#ended;
    if (failed?.code === 'LOG_CLOSED') return;
    this.#ended = new LogError('LOG_CLOSED', `${this.directory} is closed`);
    this.#flushTimer?.cancel();
    await this.#flusher.idle();
    try {
      if (failed !== undefined) throw failed;
      // The one that was under way: another that succeeds would prove nothing.
      if (this.#flusher.failure !== undefined) throw this.#flusher.failure.error;
      await this.#storage.close();
      this.#flusher.raise(this.endOffset);
    } catch (error) {
      throw toStorageError(error, `${this.directory} could not be closed in order`);
    } finally {
      this.#tail.clear();
      this.#storage.release();
    }
  }
}
