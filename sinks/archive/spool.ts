import { join } from 'node:path';
import { readBatchHeader } from '../../protocol/records/index.js';
import type { Clock, DiskFile, System } from '../../system/index.js';
import type { FetchedRecords } from '../feed.js';
import type { RecordView, RecordWalk } from '../record-view.js';
import { contentBytesOf } from '../spool-format.js';
import type { SpoolLevel } from './claims/index.js';
import { offsetName } from './names.js';
import {
  CHUNK_HEADER_BYTES,
  ChunkCursor,
  type ChunkHeader,
  encodeChunkHeader,
  isChunkIntact,
  readChunkHeader,
} from './spool-chunk.js';

/** Chunks beyond it are read in two pieces. */
const FIRST_READ_BYTES = 256 * 1024;
/** Content of a chunk: what is encoded at once, when the spool is read. */
const CHUNK_CONTENT_BYTES = 2 * 1024 * 1024;

/** How far a spool may take records in; see `append`. */
export interface SpoolLimits {
  /** The last offset to take. */
  readonly until: number | undefined;
  readonly records: number | undefined;
  readonly sizeBytes: number;
}

type SpoolOutcome = 'all' | 'full' | 'more' | 'until';

/**
 * Records of one partition that are not in a claim yet, on local disk: what a restart need not read
 * again, and what survives when retention removes it from the topic. It is never synced: after a
 * power cut the intact chunks count, and the topic has the rest.
 */
export class Spool {
  readonly #clock: Clock;
  readonly #file: DiskFile;
  #level: SpoolLevel;
  #sizeBytes: number;

  private constructor(clock: Clock, file: DiskFile, level: SpoolLevel, sizeBytes: number) {
    this.#clock = clock;
    this.#file = file;
    this.#level = level;
    this.#sizeBytes = sizeBytes;
  }

  /**
   * The spool that begins at `start` in this directory (one per partition), as far as it is intact;
   * an empty one where there is none or `fresh` asks for it. Others are removed.
   */
  static async open(
    { disk, clock }: Pick<System, 'disk' | 'clock'>,
    directory: string,
    start: number,
    fresh: boolean,
  ): Promise<Spool> {
    await disk.makeDirectory(directory);
    const name = `${offsetName(start)}.spool`;
    for (const other of await disk.list(directory)) {
      if (other.endsWith('.spool') && other !== name) await disk.remove(join(directory, other));
    }
    const file = await disk.open(join(directory, name), fresh ? 'w' : 'a+');
    try {
      const { level, sizeBytes } = await recover(file, start, clock);
      file.truncateSync(sizeBytes);
      return new Spool(clock, file, level, sizeBytes);
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
   * `full`: a limit is reached. `more`: a chunk is. After both the walk can go on where it stopped.
   * `until`: the last offset is reached; the walk is one too far. `tee` sees what is taken.
   */
  append(
    { records, batches, nextOffset }: Omit<FetchedRecords, 'fetchOffset' | 'release'>,
    limits: SpoolLimits,
    tee?: { take(record: RecordView): void },
  ): SpoolOutcome {
    const { until = Infinity, records: maxRecords = Infinity, sizeBytes } = limits;
    let { position } = this.#level;
    const recordsLimit = maxRecords - this.#level.records;
    const bytesLimit = sizeBytes - this.#level.bytes;
    let count = 0;
    let bytes = 0;
    let outcome: SpoolOutcome = 'full';
    while (count < recordsLimit && bytes < bytesLimit) {
      if (bytes >= CHUNK_CONTENT_BYTES) {
        outcome = 'more';
        break;
      }
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
      tee?.take(records);
      position = records.offset + 1;
      count += 1;
      bytes += contentBytesOf(records);
    }
    this.#write(count > 0 ? batches : [], { position, records: count, bytes });
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
      await cursor.openChunk(chunk.bytes, chunk.header);
      await onChunk(cursor);
      at += chunk.bytes.length;
    }
  }

  close(): void {
    this.#file.closeSync();
  }

  #write(
    batches: readonly Buffer[],
    taken: { position: number; records: number; bytes: number },
  ): void {
    const { position, records, bytes } = taken;
    const level = this.#level;
    const { start, position: from } = level;
    if (position === from) return;
    const wanted = batches.filter((batch) => {
      const { baseOffset, lastOffsetDelta } = readBatchHeader(batch, 0);
      return baseOffset < position && baseOffset + lastOffsetDelta >= from;
    });
    const counts = { records, contentBytes: bytes };
    const header = { ...counts, start, from, position, writtenAtMs: this.#clock.now() };
    const chunk = [encodeChunkHeader(header, wanted), ...wanted];
    this.#file.writeSync(chunk, this.#sizeBytes);
    this.#sizeBytes += chunk.reduce((sum, { length }) => sum + length, 0);
    const nowMs = this.#clock.monotonic();
    this.#level = {
      start,
      position,
      records: level.records + records,
      bytes: level.bytes + bytes,
      sinceMs: from === start ? nowMs : level.sinceMs,
      lastMs: nowMs,
    };
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

/**
 * The intact chunks from the beginning on. How old they are only the wall clock can say: where it
 * was set back since, they count as new, and are held once more at most.
 */
async function recover(
  file: DiskFile,
  start: number,
  clock: Clock,
): Promise<{ level: SpoolLevel; sizeBytes: number }> {
  let level: SpoolLevel = { start, position: start, records: 0, bytes: 0, sinceMs: 0, lastMs: 0 };
  let sizeBytes = 0;
  const reader = new ChunkReader(file);
  const now = { wallMs: clock.now(), ms: clock.monotonic() };
  const since = (wallMs: number) => now.ms - Math.max(0, now.wallMs - wallMs);
  for (;;) {
    const chunk = await reader.read(sizeBytes);
    if (chunk === undefined) return { level, sizeBytes };
    const { header } = chunk;
    if (header?.start !== start) return { level, sizeBytes };
    level = {
      start,
      position: header.position,
      records: level.records + header.records,
      bytes: level.bytes + header.contentBytes,
      sinceMs: sizeBytes === 0 ? since(header.writtenAtMs) : level.sinceMs,
      lastMs: since(header.writtenAtMs),
    };
    sizeBytes += chunk.bytes.length;
  }
}

interface Chunk {
  readonly header: ChunkHeader;
  readonly bytes: Buffer;
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
  async read(at: number): Promise<Chunk | undefined> {
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
    const bytes = this.#memory.subarray(0, size);
    const chunk = { header, bytes };
    return isChunkIntact(bytes, header) ? chunk : undefined;
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
