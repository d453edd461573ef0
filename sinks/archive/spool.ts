import { join } from 'node:path';
import type { Disk, DiskFile } from '../../system/index.js';
import type { RecordWalk } from '../record-view.js';
import {
  CHUNK_HEADER_BYTES,
  ChunkCursor,
  type ChunkWriter,
  contentBytesOf,
  isChunkIntact,
  readChunkHeader,
} from '../spool-format.js';
import type { SpoolLevel } from './claims/index.js';
import { offsetName } from './names.js';

/** As large as a chunk is, unless it holds a single larger record. */
const FIRST_READ_BYTES = 256 * 1024;

/** How far a spool may take records in; see `append`. */
export interface SpoolLimits {
  /** The last offset to take. */
  readonly until: number | undefined;
  readonly records: number | undefined;
  readonly sizeBytes: number;
}

/**
 * Records of one partition that are not in a claim yet, on local disk: what a restart need not read
 * again, and what survives when retention removes it from the topic. It is never synced: after a
 * power cut the intact chunks count, and the topic has the rest.
 */
export class Spool {
  readonly #file: DiskFile;
  readonly #writer: ChunkWriter;
  #level: SpoolLevel;
  #sizeBytes: number;

  private constructor(file: DiskFile, writer: ChunkWriter, level: SpoolLevel, sizeBytes: number) {
    this.#file = file;
    this.#writer = writer;
    this.#level = level;
    this.#sizeBytes = sizeBytes;
  }

  /**
   * The spool that begins at `start` in this directory (one per partition), as far as it is intact;
   * an empty one where there is none or `fresh` asks for it. Others are removed.
   */
  static async open(
    disk: Disk,
    directory: string,
    start: number,
    fresh: boolean,
    writer: ChunkWriter,
  ): Promise<Spool> {
    await disk.makeDirectory(directory);
    const name = `${offsetName(start)}.spool`;
    for (const other of await disk.list(directory)) {
      if (other.endsWith('.spool') && other !== name) await disk.remove(join(directory, other));
    }
    const file = await disk.open(join(directory, name), fresh ? 'w' : 'a+');
    try {
      const { level, sizeBytes } = await recover(file, start);
      file.truncateSync(sizeBytes);
      return new Spool(file, writer, level, sizeBytes);
    } catch (error) {
      file.closeSync();
      throw error;
    }
  }

  get level(): SpoolLevel {
    return this.#level;
  }

  /** On disk. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * Takes in records up to the limits. `all`: everything before `nextOffset` is in the spool.
   * `full`: a limit is reached, `records` can go on where it stopped. `until`: the last offset is
   * reached; `records` is one too far.
   */
  append(
    records: RecordWalk,
    nextOffset: number,
    limits: SpoolLimits,
    nowMs: number,
  ): 'all' | 'full' | 'until' {
    const { until = Infinity, records: maxRecords = Infinity, sizeBytes } = limits;
    const writer = this.#writer;
    writer.clear();
    let { position } = this.#level;
    let recordsLeft = maxRecords - this.#level.records;
    let bytesLeft = sizeBytes - this.#level.bytes;
    let outcome: 'all' | 'full' | 'until' = 'full';
    while (recordsLeft > 0 && bytesLeft > 0) {
      if (!records.next()) {
        outcome = 'all';
        position = Math.max(position, Math.min(nextOffset, until + 1));
        break;
      }
      if (records.offset > until) {
        outcome = 'until';
        position = until + 1;
        break;
      }
      // A fetch begins with the batch that holds the offset, which may begin before it.
      if (records.offset < position) continue;
      if (!writer.tryAppend(records)) {
        this.#flush(position, nowMs);
        writer.tryAppend(records);
      }
      position = records.offset + 1;
      recordsLeft -= 1;
      bytesLeft -= contentBytesOf(records);
    }
    this.#flush(position, nowMs);
    return outcome;
  }

  /** Hands the records over, chunk by chunk; the event loop is free in between. */
  async forEachChunk(onChunk: (cursor: RecordWalk) => void | Promise<void>): Promise<void> {
    const cursor = new ChunkCursor();
    const reader = new ChunkReader(this.#file);
    let at = 0;
    while (at < this.#sizeBytes) {
      const chunk = await reader.read(at);
      if (chunk === undefined) throw new SpoolCorrupt(this.#file.path, at);
      cursor.open(chunk);
      await onChunk(cursor);
      at += chunk.length;
    }
  }

  close(): void {
    this.#file.closeSync();
  }

  #flush(position: number, nowMs: number): void {
    const writer = this.#writer;
    const level = this.#level;
    if (position === level.position) return;
    const { start } = level;
    const chunk = writer.finish(start, position, nowMs);
    this.#file.writeSync([chunk], this.#sizeBytes);
    this.#sizeBytes += chunk.length;
    this.#level = {
      start,
      position,
      records: level.records + writer.records,
      bytes: level.bytes + writer.contentBytes,
      sinceMs: level.position === start ? nowMs : level.sinceMs,
      lastMs: nowMs,
    };
    writer.clear();
  }
}

/** A spool has changed on disk since it was written; opening it again keeps what is intact. */
class SpoolCorrupt extends Error {
  override readonly name = 'SpoolCorrupt';
  readonly code = 'SPOOL_CORRUPT';

  constructor(path: string, position: number) {
    super(
      `The spool ${path} is damaged at byte ${position}; its records are read from the topic ` +
        'again. Check the disk.',
    );
  }
}

/** The intact chunks from the beginning on. */
async function recover(
  file: DiskFile,
  start: number,
): Promise<{ level: SpoolLevel; sizeBytes: number }> {
  let level: SpoolLevel = { start, position: start, records: 0, bytes: 0, sinceMs: 0, lastMs: 0 };
  let sizeBytes = 0;
  const cursor = new ChunkCursor();
  const reader = new ChunkReader(file);
  for (;;) {
    const chunk = await reader.read(sizeBytes);
    const header = chunk === undefined ? undefined : readChunkHeader(chunk);
    if (chunk === undefined || header?.start !== start) return { level, sizeBytes };
    let bytes = level.bytes;
    cursor.open(chunk);
    while (cursor.next()) bytes += contentBytesOf(cursor);
    level = {
      start,
      position: header.position,
      records: level.records + header.records,
      bytes,
      sinceMs: sizeBytes === 0 ? header.writtenAtMs : level.sinceMs,
      lastMs: header.writtenAtMs,
    };
    sizeBytes += chunk.length;
  }
}

/** Reads chunks into memory that the next one takes over. */
class ChunkReader {
  readonly #file: DiskFile;
  readonly #size: number;
  #memory = Buffer.allocUnsafe(FIRST_READ_BYTES);

  constructor(file: DiskFile) {
    this.#file = file;
    this.#size = file.statSync().size;
  }

  /** undefined where no whole, intact chunk stands there. */
  async read(at: number): Promise<Buffer | undefined> {
    const length = await this.#fill(at, 0);
    const header = readChunkHeader(this.#memory.subarray(0, length));
    if (header === undefined) return undefined;
    const size = CHUNK_HEADER_BYTES + header.payloadBytes;
    if (at + size > this.#size) return undefined;
    if (size > this.#memory.length) {
      const larger = Buffer.allocUnsafe(size);
      this.#memory.copy(larger, 0, 0, length);
      this.#memory = larger;
    }
    if (size > length && (await this.#fill(at, length)) < size) return undefined;
    const chunk = this.#memory.subarray(0, size);
    return isChunkIntact(chunk, header) ? chunk : undefined;
  }

  /** Fills the memory from `from` on, with what follows `at` in the file; returns its length. */
  async #fill(at: number, from: number): Promise<number> {
    let length = from;
    while (length < this.#memory.length) {
      const left = this.#memory.length - length;
      const read = await this.#file.read(this.#memory, length, left, at + length);
      if (read === 0) break;
      length += read;
    }
    return length;
  }
}
