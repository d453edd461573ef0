import { join } from 'node:path';
import { detach, type Timer } from '../../system/index.js';
import { encodeEpochs } from './checkpoint.js';
import type { LogEnvironment } from './environment.js';
import type { LeaderEpochs } from './epochs.js';
import {
  ABORTED_INDEX_SUFFIX,
  DELETED_SUFFIX,
  LEADER_EPOCH_CHECKPOINT,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  SEQUENCES_SUFFIX,
  SNAPSHOT_SUFFIX,
  TIME_INDEX_SUFFIX,
} from './format.js';
import { toStorageError } from './log-error.js';
import type { Producers } from './producers.js';
import { replayProducer } from './replay.js';
import { scanBatches } from './scan.js';
import { Segment } from './segment.js';
import type { Segments } from './segments.js';
import type { LogSettings } from './settings.js';
import { loadSnapshot, writeSnapshot } from './snapshots.js';
import type { StoredBatch } from './stored-batch.js';

/** What `LogStorage` works on. */
export interface StorageParts {
  readonly segments: Segments;
  readonly producers: Producers;
  readonly epochs: LeaderEpochs;
}

/** The files of one log: writes, rolls, syncs and deletes. Decides nothing by itself. */
export class LogStorage {
  readonly segments: Segments;
  readonly #env: LogEnvironment;
  readonly #directory: string;
  readonly #producers: Producers;
  readonly #epochs: LeaderEpochs;
  /** Segments with bytes that may not be on disk. */
  readonly #unsynced: Set<Segment>;
  /** Files came or went since the directory was synced. */
  #directoryChanged = true;
  /** Deleted segments whose files are still there, each with what removes them. */
  readonly #deleted = new Map<Segment, Timer>();
  /** Deleted segments whose files have their own names yet, in the order of their offsets. */
  readonly #unnamed: { readonly segment: Segment; readonly delayMs: number }[] = [];
  #naming: Promise<void> | undefined;
  /** Resolves when the epochs are not being saved; one at a time. */
  #saving: Promise<void> = Promise.resolve();

  constructor(
    env: LogEnvironment,
    directory: string,
    { segments, producers, epochs }: StorageParts,
    unsynced: readonly Segment[],
  ) {
    this.#env = env;
    this.#directory = directory;
    this.segments = segments;
    this.#producers = producers;
    this.#epochs = epochs;
    this.#unsynced = new Set(unsynced);
  }

  /** Appends bytes that are exactly these batches. Throws LogError, then all is as before. */
  write(bytes: Buffer, batches: readonly StoredBatch[], settings: LogSettings): void {
    const { active } = this.segments;
    active.write(bytes);
    this.#unsynced.add(active);
    for (const batch of batches) active.note(batch, settings);
  }

  /** Seals the active segment and begins the next. Throws LogError, then the old one stays. */
  roll(settings: LogSettings): void {
    const { active } = this.segments;
    const { disk, clock } = this.#env;
    const next = new Segment(disk, this.#directory, active.nextOffset, clock.now());
    try {
      active.seal();
      writeSnapshot(this.#env, this.#directory, next.baseOffset, this.#producers);
      next.create(settings);
    } catch (error) {
      next.close();
      throw toStorageError(error, `${this.#directory}: no new segment could be begun`);
    }
    this.#unsynced.add(active);
    this.#unsynced.add(next);
    this.#directoryChanged = true;
    this.segments.push(next);
    this.segments.touch(active);
  }

  /**
   * Makes durable what lies before `upTo`, and all of the active segment where that holds some of
   * it; resolves to the offset behind. What failed stays to be done.
   */
  async sync(upTo: number): Promise<number> {
    const { active } = this.segments;
    const { baseOffset } = active;
    const reached = upTo > baseOffset ? active.nextOffset : baseOffset;
    for (const segment of [...this.#unsynced]) {
      if (segment === active && reached === baseOffset) continue;
      // What is written meanwhile asks for a sync of its own.
      if (this.#unsynced.delete(segment)) await this.#syncSegment(segment, segment !== active);
    }
    await this.saveEpochs();
    if (this.#directoryChanged) await this.#syncDirectory();
    return reached;
  }

  async #syncSegment(segment: Segment, sealed: boolean): Promise<void> {
    try {
      await segment.syncLog();
      if (sealed) {
        await segment.syncIndexes();
        this.segments.leave(segment);
      }
    } catch (error) {
      // Retention may have deleted it meanwhile; then nobody needs it.
      if (!this.segments.list.includes(segment)) return;
      this.#unsynced.add(segment);
      throw error;
    }
  }

  async #syncDirectory(): Promise<void> {
    this.#directoryChanged = false;
    try {
      await this.#env.disk.syncDirectory(this.#directory);
    } catch (error) {
      this.#directoryChanged = true;
      throw error;
    }
  }

  /** Writes the leader epochs down where they changed. */
  saveEpochs(): Promise<void> {
    const saved = this.#saving.then(() => this.#saveEpochsOnce());
    this.#saving = saved.catch(() => {});
    return saved;
  }

  async #saveEpochsOnce(): Promise<void> {
    if (!this.#epochs.dirty) return;
    this.#epochs.dirty = false;
    const path = join(this.#directory, LEADER_EPOCH_CHECKPOINT);
    try {
      await this.#env.disk.replaceFile(path, encodeEpochs(this.#epochs.entries));
    } catch (error) {
      this.#epochs.dirty = true;
      throw error;
    }
  }

  /**
   * Takes the segments out of the log at once; their files get the suffix `.deleted` and are
   * removed after `delayMs`, so that reads that have begun can end.
   */
  async delete(segments: readonly Segment[], delayMs: number): Promise<void> {
    for (const segment of segments) {
      this.segments.remove(segment);
      this.#unsynced.delete(segment);
    }
    this.#unnamed.push(...segments.map((segment) => ({ segment, delayMs })));
    await this.nameDeleted();
  }

  /**
   * Gives the files of deleted segments their suffix; where that fails the next call goes on.
   * Never one before its predecessor: the gap that a crash then left would look like damage.
   */
  async nameDeleted(): Promise<void> {
    this.#naming ??= this.#nameAll().finally(() => {
      this.#naming = undefined;
    });
    await this.#naming;
  }

  async #nameAll(): Promise<void> {
    const { disk, clock, log } = this.#env;
    for (let next = this.#unnamed[0]; next !== undefined; next = this.#unnamed[0]) {
      const { segment, delayMs } = next;
      this.#directoryChanged = true;
      for (const suffix of DELETED_TOGETHER) {
        const path = segment.path(suffix);
        if ((await disk.stat(path)) === undefined) continue;
        await disk.rename(path, path + DELETED_SUFFIX);
      }
      this.#unnamed.shift();
      const timer = clock.after(delayMs, () => {
        detach(this.#remove(segment), (error) => {
          log.warn('a deleted segment could not be closed', { path: segment.directory, error });
        });
      });
      this.#deleted.set(segment, timer);
    }
  }

  async #remove(segment: Segment): Promise<void> {
    this.#deleted.delete(segment);
    segment.close();
    for (const suffix of DELETED_TOGETHER) {
      const path = segment.path(suffix) + DELETED_SUFFIX;
      try {
        await this.#env.disk.remove(path);
      } catch (error) {
        this.#env.log.warn('a deleted file could not be removed', { path, error });
      }
    }
  }

  /** The segment's file changed by other means than `write`. */
  markUnsynced(segment: Segment): void {
    this.#unsynced.add(segment);
    this.#directoryChanged = true;
  }

  /** Gathers the producers anew, after a cut, from the newest snapshot that still holds. */
  async reloadProducers(): Promise<void> {
    const { disk, clock } = this.#env;
    const { active, list } = this.segments;
    this.#producers.restore([]);
    const names = await disk.list(this.#directory);
    const { baseOffset } = active;
    const dir = this.#directory;
    const from = (await loadSnapshot(this.#env, dir, names, baseOffset, this.#producers)) ?? 0;
    const nowMs = clock.now();
    for (const segment of list) {
      if (segment.nextOffset <= from) continue;
      const range = { from: 0, to: segment.sizeBytes, minOffset: segment.baseOffset };
      await scanBatches(segment.file, range, (batch) => {
        if (batch.baseOffset >= from) replayProducer(batch, this.#producers, nowMs);
        return true;
      });
      this.segments.leave(segment);
    }
  }

  /**
   * Syncs and seals everything; afterwards a clean start believes these files. The records first:
   * they are safe then even where the disk has no room for what a clean stop leaves beside them.
   */
  async close(): Promise<void> {
    const { active } = this.segments;
    this.#epochs.dirty = true;
    await this.sync(active.nextOffset);
    active.seal();
    writeSnapshot(this.#env, this.#directory, active.nextOffset, this.#producers);
    await active.syncIndexes();
    await this.#syncDirectory();
  }

  /** Closes all files; those deleted lately are removed when the log is opened again. */
  release(): void {
    for (const [segment, timer] of this.#deleted) {
      timer.cancel();
      segment.close();
    }
    for (const { segment } of this.#unnamed) segment.close();
    for (const segment of this.segments.list) segment.close();
  }
}

const DELETED_TOGETHER = [
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  ABORTED_INDEX_SUFFIX,
  SNAPSHOT_SUFFIX,
  SEQUENCES_SUFFIX,
];
