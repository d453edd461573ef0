import { dirname, join } from 'node:path';
import { loadCodec, readBatchHeader } from '../../protocol/records/index.js';
import { decodeEpochs } from './checkpoint.js';
import {
  encodeEmptyBatch,
  keepCopy,
  lastOffsetBehind,
  putAside,
  removeSegment,
  rewrite,
} from './corruption.js';
import type { LogEnvironment } from './environment.js';
import { LeaderEpochs } from './epochs.js';
import {
  ABORTED_INDEX_SUFFIX,
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  LEADER_EPOCH_CHECKPOINT,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  parseSegmentFileName,
  SEQUENCES_SUFFIX,
  SWAP_SUFFIX,
  segmentFileName,
  TIME_INDEX_SUFFIX,
} from './format.js';
import {
  endOffsetOf,
  fileSize,
  findSegment,
  loadActive,
  loadSealed,
  scanSegment,
} from './load-segment.js';
import { LogError } from './log-error.js';
import { Producers } from './producers.js';
import { RecentBatches, replayBatch } from './replay.js';
import { type ScanEnd, scanBatches } from './scan.js';
import type { Segment } from './segment.js';
import { Segments } from './segments.js';
import type { LogSettings } from './settings.js';
import { loadSnapshot, removeSnapshot, snapshotOffsets, writeSnapshot } from './snapshots.js';
import { storedBatch } from './stored-batch.js';

/** What is known about a log before it is opened, from the checkpoints of the log directory. */
export interface RecoveryOptions {
  /** Whether the log was closed in order; nothing needs to be scanned then. */
  readonly clean: boolean;
  /** Everything before it was synced, so it need not be scanned. */
  readonly recoveryPoint: number;
  /** Records before it were deleted on purpose. */
  readonly startOffset: number;
  /** The log failed in this process and comes back; undefined at a start. */
  readonly resume?: ResumeOptions | undefined;
}

/** What is known of a log that failed in this process. */
export interface ResumeOptions {
  /**
   * Where it ended. Should the disk have lost records before it, an empty batch takes their
   * offsets: they were acknowledged, and readers may know them.
   */
  readonly endOffset: number;
}

/** A log as it was found, or made whole. */
export interface RecoveredLog {
  readonly segments: Segments;
  readonly producers: Producers;
  readonly epochs: LeaderEpochs;
  readonly startOffset: number;
  /** Everything before it survives a power cut. */
  readonly flushedOffset: number;
  /** Segments whose bytes may not be on disk yet. */
  readonly unsynced: readonly Segment[];
}

/** So much of the end is looked through for producers' last batches after a clean stop. */
const RECENT_BYTES = 1024 * 1024;

/** Opens what is in a partition's directory, created where missing; repairs it where it must. */
export async function recoverLog(
  env: LogEnvironment,
  directory: string,
  settings: LogSettings,
  options: RecoveryOptions,
): Promise<RecoveredLog> {
  // Appends look into their batches in the turn in which they come: a codec must be there.
  await loadCodec('zstd');
  return new Recovery(env, directory, settings, options).run();
}

class Recovery {
  readonly #env: LogEnvironment;
  readonly #directory: string;
  readonly #settings: LogSettings;
  readonly #options: RecoveryOptions;
  readonly #producers = new Producers();
  readonly #epochs = new LeaderEpochs();
  /** Names in the directory, leftovers removed. */
  readonly #names: string[] = [];
  /** The snapshot that was loaded, if any was. */
  #snapshotAt: number | undefined;
  /** Whole and loaded, in order. */
  readonly #ready: Segment[] = [];

  constructor(
    env: LogEnvironment,
    directory: string,
    settings: LogSettings,
    options: RecoveryOptions,
  ) {
    this.#env = env;
    this.#directory = directory;
    this.#settings = settings;
    this.#options = options;
  }

  async run(): Promise<RecoveredLog> {
    await this.#prepareDirectory();
    const found = this.#names.flatMap((name) => {
      const parsed = parseSegmentFileName(name);
      return parsed?.suffix === LOG_SUFFIX ? [parsed.baseOffset] : [];
    });
    const bases = await this.#dropUnfinishedRolls(found.sort((a, b) => a - b));
    const epochsKnown = await this.#loadEpochs();
    const scanFrom = await this.#loadTrusted(bases);
    const scanBase = bases[scanFrom] ?? this.#endOffset;
    const replayFrom = await this.#loadProducers(scanBase, epochsKnown);
    await this.#replay(replayFrom, scanBase);
    this.#epochs.truncateFromEnd(scanBase);
    const unsynced: Segment[] = [];
    const rest = bases.slice(scanFrom).map((base) => this.#find(base));
    for (let segment = rest.shift(); segment !== undefined; segment = rest.shift()) {
      unsynced.push(segment);
      await this.#scan(segment, rest);
    }
    if (this.#ready.length === 0) unsynced.push(this.#create(this.#options.startOffset));
    if (this.#options.resume !== undefined) await this.#resume(this.#options.resume, unsynced);
    return this.#finish(unsynced);
  }

  get #endOffset(): number {
    return this.#ready.at(-1)?.nextOffset ?? this.#options.startOffset;
  }

  #find(baseOffset: number): Segment {
    return findSegment(this.#env, this.#directory, baseOffset);
  }

  #create(baseOffset: number): Segment {
    const segment = this.#find(baseOffset);
    segment.create(this.#settings);
    this.#ready.push(segment);
    return segment;
  }

  async #prepareDirectory(): Promise<void> {
    const { disk } = this.#env;
    if ((await disk.stat(this.#directory)) === undefined) {
      await disk.makeDirectory(this.#directory);
      await disk.syncDirectory(dirname(this.#directory));
    }
    const kept: string[] = [];
    for (const name of await disk.list(this.#directory)) {
      if (name.endsWith(SWAP_SUFFIX)) throw unfinishedCompaction(join(this.#directory, name));
      const leftover = [DELETED_SUFFIX, CLEANED_SUFFIX, '.tmp'].some((end) => name.endsWith(end));
      if (leftover) await disk.remove(join(this.#directory, name));
      else kept.push(name);
    }
    const all = new Set(kept);
    for (const name of kept) {
      if (isOrphan(name, all)) await disk.remove(join(this.#directory, name));
      else this.#names.push(name);
    }
  }

  /**
   * An empty segment proves that the log once ended at its base, not that it ends there: where
   * the one before it holds later records, a roll had failed half-way and the log went on without
   * it. Then it goes, and so does an empty one amid others. Behind all records it stays: what
   * retention deleted before it must not give its offsets away.
   */
  async #dropUnfinishedRolls(bases: readonly number[]): Promise<number[]> {
    const kept: number[] = [];
    for (const [index, base] of bases.entries()) {
      const segment = this.#find(base);
      const before = kept.at(-1);
      const size = this.#env.disk.statSync(segment.path(LOG_SUFFIX))?.size;
      if (before !== undefined && size === 0) {
        const isLast = index === bases.length - 1;
        if (!isLast || (await this.#batchesEnd(before)) > base) {
          await removeSegment(this.#env, segment);
          continue;
        }
      }
      kept.push(base);
    }
    return kept;
  }

  async #batchesEnd(baseOffset: number): Promise<number> {
    const segment = this.#find(baseOffset);
    try {
      return await endOffsetOf(segment);
    } finally {
      segment.close();
    }
  }

  /** False where the epochs have to be gathered from the batches. */
  async #loadEpochs(): Promise<boolean> {
    const path = join(this.#directory, LEADER_EPOCH_CHECKPOINT);
    if (!this.#names.includes(LEADER_EPOCH_CHECKPOINT)) return false;
    try {
      this.#epochs.restore(decodeEpochs((await this.#env.disk.readFile(path)).toString()));
      return true;
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      this.#env.log.warn('leader epochs are gathered anew', { path, reason: error.message });
      return false;
    }
  }

  /** Loads the segments that need no scan; returns the index of the first that does. */
  async #loadTrusted(bases: readonly number[]): Promise<number> {
    const { clean, recoveryPoint } = this.#options;
    const last = bases.length - 1;
    const holding = bases.findLastIndex((base) => base <= recoveryPoint);
    const sealed = clean ? last : Math.min(last, Math.max(0, holding));
    for (let index = 0; index < sealed; index++) {
      const segment = this.#find(bases[index] as number);
      await loadSealed(segment, bases[index + 1] as number, this.#settings);
      this.#ready.push(segment);
    }
    if (!clean || last < 0) return Math.max(0, sealed);
    const active = this.#find(bases[last] as number);
    if (await loadActive(active, this.#settings)) {
      this.#ready.push(active);
      return last + 1;
    }
    this.#env.log.warn(
      'a log is scanned although it was closed in order: it or its index changed',
      {
        path: active.path(LOG_SUFFIX),
      },
    );
    active.close();
    return last;
  }

  /** Loads a snapshot; returns the offset from which batches have to be replayed. */
  async #loadProducers(scanBase: number, epochsKnown: boolean): Promise<number> {
    const env = this.#env;
    const offset = await loadSnapshot(env, this.#directory, this.#names, scanBase, this.#producers);
    for (const other of snapshotOffsets(this.#names)) {
      // Kept are those of segments, to fall back on, and the newest.
      const useful = other === offset || this.#ready.some(({ baseOffset }) => baseOffset === other);
      if (useful || offset === undefined || other > offset) continue;
      await removeSnapshot(env, this.#directory, other);
    }
    this.#snapshotAt = offset;
    return epochsKnown ? (offset ?? 0) : 0;
  }

  /** Brings producers and epochs from `from` up to `to` by the headers of trusted segments. */
  async #replay(from: number, to: number): Promise<void> {
    const nowMs = this.#env.clock.now();
    for (const segment of this.#ready) {
      if (segment.nextOffset <= from || segment.baseOffset >= to) continue;
      const range = { from: 0, to: segment.sizeBytes, minOffset: segment.baseOffset };
      await scanBatches(segment.file, range, (batch) => {
        if (batch.baseOffset >= from) replayBatch(batch, this.#producers, this.#epochs, nowMs);
        return true;
      });
      segment.close();
    }
    if (from >= to) await this.#completeProducers();
  }

  /** For a snapshot of Apache Kafka's, which has nothing beside it. */
  async #completeProducers(): Promise<void> {
    const segment = this.#ready.at(-1);
    if (segment === undefined || this.#producers.size === 0) return;
    const beside = segmentFileName(this.#snapshotAt ?? 0, SEQUENCES_SUFFIX);
    // A power cut may have left it empty.
    if (this.#options.clean && this.#names.includes(beside)) return;
    const { offsetIndex, sizeBytes } = segment;
    let from = 0;
    for (let index = offsetIndex.file.count - 1; index >= 0 && from === 0; index--) {
      const { position } = offsetIndex.entry(index);
      if (sizeBytes - position >= RECENT_BYTES) from = position;
    }
    const recent = new RecentBatches();
    const range = { from, to: sizeBytes, minOffset: segment.baseOffset };
    await scanBatches(segment.file, range, (batch) => {
      recent.add(batch);
      return true;
    });
    recent.complete(this.#producers);
  }

  /** Verifies a segment batch by batch; what is wrong with it or behind it is repaired. */
  async #scan(segment: Segment, rest: Segment[]): Promise<void> {
    const nowMs = this.#env.clock.now();
    if (this.#snapshotAt !== segment.baseOffset) {
      writeSnapshot(this.#env, this.#directory, segment.baseOffset, this.#producers);
    }
    const minOffset = this.#endOffset;
    const options = { verify: true, followedBy: rest[0]?.baseOffset };
    const end = await scanSegment(segment, this.#settings, options, (batch) => {
      if (this.#ready.length > 0 && batch.baseOffset < minOffset) return false;
      replayBatch(batch, this.#producers, this.#epochs, nowMs);
      return true;
    });
    this.#ready.push(segment);
    const fault = end.fault ?? this.#faultBehind(segment, end, rest[0]);
    if (fault !== undefined) await this.#repair(segment, fault, rest);
    if (rest.length === 0) return;
    segment.seal();
    // After a kill there may be more of them than descriptors.
    segment.cool();
  }

  /**
   * The kernel may have dropped what it could not write, and says so only once: what was not
   * synced is written again, so that the sync that follows proves something.
   */
  async #resume({ endOffset }: ResumeOptions, unsynced: Segment[]): Promise<void> {
    for (const segment of unsynced) await rewrite(segment);
    const last = this.#ready.at(-1);
    if (last === undefined || last.nextOffset >= endOffset) return;
    const { nextOffset: firstLostOffset } = last;
    await this.#fill(last, endOffset - 1);
    if (!unsynced.includes(last)) unsynced.push(last);
    const path = last.path(LOG_SUFFIX);
    const lastLostOffset = endOffset - 1;
    const text = 'the disk lost records of a log that it had taken';
    this.#env.log.error(text, { path, firstLostOffset, lastLostOffset });
  }

  /** What is wrong between the end of a segment whose batches are all valid and the next one. */
  #faultBehind(segment: Segment, end: ScanEnd, next: Segment | undefined): string | undefined {
    if (end.position < fileSize(segment)) return 'offsets go back';
    if (next === undefined || next.baseOffset <= segment.nextOffset) return undefined;
    // Compaction leaves such gaps, but no other log has them where it was synced.
    const synced = segment.nextOffset < this.#options.recoveryPoint;
    if (synced || this.#settings.cleanupPolicy !== 'delete') return undefined;
    return `records ${segment.nextOffset} to ${next.baseOffset - 1} are missing`;
  }

  /**
   * Ends the log behind the good part of `segment`. Where valid batches follow the bad bytes, all
   * is kept beside, and an empty batch takes the offsets of what is lost: whoever has read those
   * records must not take others for them.
   */
  async #repair(segment: Segment, fault: string, rest: Segment[]): Promise<void> {
    const following = rest.splice(0);
    const path = segment.path(LOG_SUFFIX);
    const behind = await lastOffsetBehind(segment, following);
    if (behind === undefined) {
      const cutBytes = fileSize(segment) - segment.sizeBytes;
      this.#env.log.warn('a torn tail was cut off', { path, cutBytes, reason: fault });
      segment.cutTail();
      for (const empty of following) await removeSegment(this.#env, empty);
      return;
    }
    const kept = [await keepCopy(this.#env, segment)];
    const firstLostOffset = segment.nextOffset;
    // Before anything goes: a crash in between must not give the offsets to other records.
    if (behind >= firstLostOffset) await this.#fill(segment, behind);
    for (const other of following) kept.push(await putAside(this.#env, other));
    segment.cutTail();
    await segment.syncLog();
    await this.#env.disk.syncDirectory(this.#directory);
    const { log, metrics } = this.#env;
    log.error('a log is corrupt: its records from here on are only in the files kept beside it', {
      path,
      reason: fault,
      firstLostOffset,
      lastLostOffset: behind,
      kept,
    });
    const name = 'logflume_log_corrupt_segments_total';
    metrics.counter(name, 'Segments in which valid batches follow bad bytes.').inc(kept.length);
  }

  async #fill(segment: Segment, lastOffset: number): Promise<void> {
    const bytes = encodeEmptyBatch(segment.nextOffset, lastOffset, this.#epochs.latest);
    segment.write(bytes);
    segment.note(storedBatch(readBatchHeader(bytes, 0), bytes, 0), this.#settings);
    await segment.syncLog();
  }

  #finish(unsynced: readonly Segment[]): RecoveredLog {
    const [first, ...others] = this.#ready;
    if (first === undefined) throw new Error('a log has one segment at least');
    const segments = new Segments([first, ...others]);
    const endOffset = segments.active.nextOffset;
    const startOffset = Math.min(Math.max(this.#options.startOffset, first.baseOffset), endOffset);
    // One that begins at the very end has a leader but no records yet.
    this.#epochs.truncateFromEnd(endOffset + 1);
    const { clean, recoveryPoint } = this.#options;
    const scanned = unsynced.some(({ sizeBytes }) => sizeBytes > 0);
    const flushedOffset = clean && !scanned ? endOffset : Math.min(recoveryPoint, endOffset);
    return {
      segments,
      producers: this.#producers,
      epochs: this.#epochs,
      startOffset,
      flushedOffset,
      unsynced,
    };
  }
}

/** An index without its `.log`: a roll or a deletion ended half-way. */
function isOrphan(name: string, names: ReadonlySet<string>): boolean {
  const parsed = parseSegmentFileName(name);
  if (parsed === undefined || !INDEX_SUFFIXES.includes(parsed.suffix)) return false;
  return !names.has(segmentFileName(parsed.baseOffset, LOG_SUFFIX));
}

const INDEX_SUFFIXES = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, ABORTED_INDEX_SUFFIX];

function unfinishedCompaction(path: string): LogError {
  return new LogError(
    'INVALID_LOG_DIRECTORY',
    `${path} is a compaction of Apache Kafka that was not finished, which logflume does not ` +
      'finish: start and stop that Kafka once on this directory',
  );
}
