import { join } from 'node:path';
import type { Disk } from '../../system/index.js';
import {
  fitsIndex,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  segmentFileName,
  TIME_INDEX_SUFFIX,
} from './format.js';
import { LogError, toStorageError } from './log-error.js';
import { OffsetIndex } from './offset-index.js';
import type { LogSettings } from './settings.js';
import { SharedFile } from './shared-file.js';
import type { StoredBatch } from './stored-batch.js';
import { TimeIndex } from './time-index.js';

/** The settings a segment itself needs. */
export type SegmentSettings = Pick<LogSettings, 'indexIntervalBytes' | 'segmentIndexBytes'>;

/** One `.log` file with its two indexes. Knows positions; policy is the log's. */
export class Segment {
  readonly baseOffset: number;
  readonly directory: string;
  readonly offsetIndex: OffsetIndex;
  readonly timeIndex: TimeIndex;
  /** Bytes of whole batches; what the file may hold behind them is cut before the next write. */
  sizeBytes = 0;
  /** Behind the last batch; `baseOffset` where there is none. */
  nextOffset: number;
  /** Largest timestamp of all batches, -1 where there is none, and its batch's last offset. */
  maxTimestamp = -1;
  maxTimestampOffset: number;
  /** Largest timestamp of the first batch, from which `segment.ms` counts; -1 before. */
  firstTimestamp = -1;
  /** When the file was created or, for one that was found, last changed; milliseconds. */
  createdMs: number;
  readonly #disk: Disk;
  #file: SharedFile | undefined;
  #bytesSinceEntry = 0;

  constructor(disk: Disk, directory: string, baseOffset: number, createdMs: number) {
    this.#disk = disk;
    this.directory = directory;
    this.baseOffset = baseOffset;
    this.nextOffset = baseOffset;
    this.maxTimestampOffset = baseOffset;
    this.createdMs = createdMs;
    this.offsetIndex = new OffsetIndex(disk, this.path(OFFSET_INDEX_SUFFIX), baseOffset);
    this.timeIndex = new TimeIndex(disk, this.path(TIME_INDEX_SUFFIX), baseOffset);
  }

  path(suffix: string): string {
    return join(this.directory, segmentFileName(this.baseOffset, suffix));
  }

  /** The open `.log` file; opened on first use. */
  get file(): SharedFile {
    this.#file ??= new SharedFile(this.#disk, this.path(LOG_SUFFIX), 'r+');
    return this.#file;
  }

  /**
   * Creates the files of a new segment, which will be appended to. The `.log` comes last: where
   * it is, the segment has begun, and a failure before leaves none.
   */
  create(settings: SegmentSettings): void {
    this.createIndexes(settings);
    this.#file = new SharedFile(this.#disk, this.path(LOG_SUFFIX), 'w');
  }

  /** Starts both indexes anew; `note` fills them. */
  createIndexes(settings: SegmentSettings): void {
    this.offsetIndex.file.create(settings.segmentIndexBytes);
    this.timeIndex.file.create(settings.segmentIndexBytes);
  }

  /** Makes the indexes large enough for more entries: the segment is appended to again. */
  reopenIndexes(settings: SegmentSettings): void {
    this.offsetIndex.file.reopen(settings.segmentIndexBytes);
    this.timeIndex.file.reopen(settings.segmentIndexBytes);
  }

  /** Whether both indexes take another entry, and `lastOffset` fits them. */
  hasRoom(lastOffset: number, settings: SegmentSettings): boolean {
    const { segmentIndexBytes } = settings;
    return (
      fitsIndex(this.baseOffset, lastOffset) &&
      this.offsetIndex.file.hasRoom(segmentIndexBytes) &&
      this.timeIndex.file.hasRoom(segmentIndexBytes)
    );
  }

  /**
   * Writes behind the last batch. Where that fails, what was written is cut off again, so that the
   * file stays whole batches. Throws LogError.
   */
  write(bytes: Uint8Array): void {
    const { file } = this.file;
    try {
      file.writeSync([bytes], this.sizeBytes);
    } catch (error) {
      const path = this.path(LOG_SUFFIX);
      try {
        file.truncateSync(this.sizeBytes);
      } catch (cause) {
        const message = `${path} could be neither written nor cut back: check the disk`;
        throw new LogError('KAFKA_STORAGE_ERROR', message, { cause });
      }
      throw toStorageError(error, `${path} could not be written`);
    }
  }

  /** Cuts off whatever lies behind the whole batches. */
  cutTail(): void {
    this.file.file.truncateSync(this.sizeBytes);
  }

  /**
   * Takes a batch that stands at `sizeBytes` into account, with index entries where they are due
   * (unless `indexed` says that none are wanted).
   */
  note(batch: StoredBatch, settings: SegmentSettings, indexed = true): void {
    if (this.sizeBytes === 0) this.firstTimestamp = batch.maxTimestamp;
    if (batch.maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = batch.maxTimestamp;
      this.maxTimestampOffset = batch.lastOffset;
    }
    if (indexed && this.#bytesSinceEntry > settings.indexIntervalBytes) {
      this.offsetIndex.append(batch.lastOffset, this.sizeBytes);
      this.timeIndex.append(this.maxTimestamp, this.maxTimestampOffset);
      this.#bytesSinceEntry = 0;
    }
    this.#bytesSinceEntry += batch.header.sizeBytes;
    this.sizeBytes += batch.header.sizeBytes;
    this.nextOffset = batch.lastOffset + 1;
  }

  /** Forgets what `note` gathered; the file is left alone. For a scan from its start. */
  resetState(): void {
    this.sizeBytes = 0;
    this.nextOffset = this.baseOffset;
    this.maxTimestamp = -1;
    this.maxTimestampOffset = this.baseOffset;
    this.firstTimestamp = -1;
    this.#bytesSinceEntry = 0;
  }

  /** Goes on where the last index entry's batch starts, at `position`; `note` does the rest. */
  resumeAt(position: number): void {
    this.resetState();
    this.sizeBytes = position;
  }

  /** No more appends: the time index gets its last entry, both are cut to size. */
  seal(): void {
    this.timeIndex.append(this.maxTimestamp, this.maxTimestampOffset);
    this.offsetIndex.file.trim();
    this.timeIndex.file.trim();
  }

  /** Resolves when the batches written so far survive a power cut. */
  async syncLog(): Promise<void> {
    await this.file.sync();
  }

  /** The same for the indexes, of a sealed segment. */
  async syncIndexes(): Promise<void> {
    await this.offsetIndex.file.sync();
    await this.timeIndex.file.sync();
  }

  /** Gives back file and memory of a sealed segment that is not being read. */
  cool(): void {
    this.offsetIndex.file.unload();
    this.timeIndex.file.unload();
    this.close();
  }

  /** Closes the file as soon as nobody reads it. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
