import { join } from 'node:path';
import type { Disk } from '../../system/index.js';
import { equalBytes } from '../copy-bytes.js';
import type { RecordView } from '../record-view.js';
import type { ClaimedFile, ContentSettings } from './claims/index.js';
import { type Compression, compressions } from './compression.js';
import { type Format, formats } from './formats/index.js';
import { type ChainId, fileName, hourOf, isKeyInName } from './names.js';
import type { Spool } from './spool.js';
import { StagedFile, type WrittenFile } from './staged-file.js';

/** Files that may be open at once, and memory that their contents may take before they are. */
const MAX_OPEN_FILES = 64;
const MAX_PENDING_BYTES = 32 * 1024 * 1024;

/** A file that is ready to be published. */
export interface EncodedFile {
  readonly path: string;
  readonly file: ClaimedFile;
  readonly written: WrittenFile;
}

/** From which offset on records become files, and how. */
export interface Cut {
  readonly id: ChainId;
  readonly start: number;
  readonly settings: ContentSettings;
}

interface Output {
  readonly key: Buffer | undefined;
  readonly hour: number;
  /** The record's own offset, where each is a file; else the cut's offsets are in the name. */
  readonly offset: number | undefined;
  readonly staged: StagedFile;
}

/**
 * Turns the records of a cut into files below `directory`, which holds nothing else. The same
 * records and settings give the same contents under the same names on any machine.
 */
export class Encoder {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #cut: Cut;
  readonly #format: Format;
  readonly #compression: Compression;
  readonly #outputs: Output[] = [];
  /** Outputs by a hash of hour and key; most lookups end at the output before. */
  readonly #byHash = new Map<number, Output[]>();
  #latest: Output | undefined;
  #openFiles = 0;
  #pendingBytes = 0;

  constructor(disk: Disk, directory: string, cut: Cut) {
    this.#disk = disk;
    this.#directory = directory;
    this.#cut = cut;
    this.#format = formats[cut.settings.format];
    this.#compression = compressions[cut.settings.compression];
  }

  /** Begins with an empty directory. */
  async open(): Promise<void> {
    await this.#compression.load();
    await this.#disk.removeTree(this.#directory);
    await this.#disk.makeDirectory(this.#directory);
  }

  /** Takes the spool's records up to `end`; the event loop is free between its chunks. */
  async readSpool(spool: Spool, end: number): Promise<void> {
    await spool.forEachChunk((records) => {
      while (records.next() && records.offset <= end) this.take(records);
    });
  }

  get fileCount(): number {
    return this.#outputs.length;
  }

  take(record: RecordView): void {
    const output = this.#outputFor(record);
    const { staged } = output;
    const before = staged.pending.length;
    this.#format.write(staged.pending, record, this.#cut.id);
    staged.records += 1;
    this.#pendingBytes += staged.pending.length - before;
    if (staged.isFull) this.#flush(output);
    else if (this.#pendingBytes > MAX_PENDING_BYTES) this.#flushAll();
  }

  /** The files, whole and synced; `end` is the last offset that was taken. */
  async finish(end: number): Promise<EncodedFile[]> {
    const files: EncodedFile[] = [];
    for (const output of this.#outputs) files.push(await this.#finish(output, end));
    return files;
  }

  /** Lets go of what is open: these files are not wanted any more. */
  abandon(): void {
    for (const { staged } of this.#outputs) staged.rest();
  }

  #flush(output: Output): void {
    const { staged } = output;
    this.#pendingBytes -= staged.pending.length;
    const wasOpen = staged.isOpen;
    staged.flush();
    if (!wasOpen) this.#openFiles += 1;
    if (this.#openFiles <= MAX_OPEN_FILES) return;
    for (const other of this.#outputs) other.staged.rest();
    this.#openFiles = 0;
  }

  #flushAll(): void {
    for (const output of this.#outputs) {
      if (output.staged.pending.length > 0) this.#flush(output);
    }
  }

  #outputFor(record: RecordView): Output {
    const hour = hourOf(record.timestamp);
    if (this.#format.isFilePerRecord) {
      const key = this.#hasKey(record)
        ? Buffer.from(record.bytes.subarray(record.keyStart, record.keyEnd))
        : undefined;
      return this.#addOutput(key, hour, record.offset);
    }
    const latest = this.#latest;
    if (latest !== undefined && this.#isFor(latest, record, hour)) return latest;
    const found = this.#find(record, hour);
    this.#latest = found;
    return found;
  }

  #find(record: RecordView, hour: number): Output {
    const { bytes, keyStart, keyEnd } = record;
    const hasKey = this.#hasKey(record);
    const hash = hasKey ? hashOf(bytes, keyStart, keyEnd, hour) : hour;
    let bucket = this.#byHash.get(hash);
    const found = bucket?.find((output) => this.#isFor(output, record, hour));
    if (found !== undefined) return found;
    const key = hasKey ? Buffer.from(bytes.subarray(keyStart, keyEnd)) : undefined;
    const output = this.#addOutput(key, hour);
    if (bucket === undefined) {
      bucket = [];
      this.#byHash.set(hash, bucket);
    }
    bucket.push(output);
    return output;
  }

  #hasKey(record: RecordView): boolean {
    return this.#cut.settings.filePer === 'key' && record.keyEnd >= 0;
  }

  #isFor(output: Output, record: RecordView, hour: number): boolean {
    if (output.hour !== hour) return false;
    const { key } = output;
    if (key === undefined) return !this.#hasKey(record);
    return this.#hasKey(record) && equalBytes(record.bytes, record.keyStart, record.keyEnd, key);
  }

  #addOutput(key: Buffer | undefined, hour: number, offset?: number): Output {
    const path = join(this.#directory, `${this.#outputs.length}.part`);
    const staged = new StagedFile(this.#disk, path, this.#compression);
    const output: Output = { key, hour, offset, staged };
    this.#outputs.push(output);
    return output;
  }

  async #finish(output: Output, cutEnd: number): Promise<EncodedFile> {
    const { key, hour, offset, staged } = output;
    const { id } = this.#cut;
    const start = offset ?? this.#cut.start;
    const end = offset ?? cutEnd;
    const extension = `${this.#format.extension}${this.#compression.suffix}`;
    const name = fileName({ id, key, hour, start, end, extension });
    const { bytes, sha256, written } = await staged.finish();
    const file = { name, records: staged.records, bytes, sha256 };
    const isKeyLost = key !== undefined && !isKeyInName(name);
    return {
      path: staged.path,
      written,
      file: isKeyLost ? { ...file, key: key.toString('base64') } : file,
    };
  }
}

/** FNV-1a over the key's bytes, begun with the hour. */
function hashOf(bytes: Buffer, start: number, end: number, hour: number): number {
  let hash = (0x811c9dc5 ^ hour) | 0;
  for (let i = start; i < end; i += 1) {
    hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  }
  return hash;
}
