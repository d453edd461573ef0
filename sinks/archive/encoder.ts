import { join } from 'node:path';
import type { Disk } from '../../system/index.js';
import { equalBytes, type ViewedBytes, viewed } from '../copy-bytes.js';
import type { RecordView } from '../record-view.js';
import type { ClaimedFile, ContentSettings } from './claims/index.js';
import { type Compression, compressions } from './compression.js';
import type { Format } from './formats/index.js';
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
  /** The one that the settings name. */
  readonly format: Format;
  /** Names that differ in case alone stay as they are. */
  readonly hasPlainNames?: boolean;
}

/** Content of one output, of records that follow each other, put together in their own bytes. */
interface Run extends ViewedBytes {
  readonly output: Output;
  readonly start: number;
  end: number;
}

interface Output {
  readonly key: ViewedBytes | undefined;
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
  readonly #isFilePerKey: boolean;
  readonly #outputs: Output[] = [];
  /** Outputs by a hash of hour and key; most lookups end at the output before. */
  readonly #byHash = new Map<number, Output[]>();
  #latest: Output | undefined;
  /** Not handed to its file yet. */
  #run: Run | undefined;
  #openFiles = 0;
  #pendingBytes = 0;

  constructor(disk: Disk, directory: string, cut: Cut) {
    this.#disk = disk;
    this.#directory = directory;
    this.#cut = cut;
    this.#format = cut.format;
    this.#compression = compressions[cut.settings.compression];
    this.#isFilePerKey = cut.settings.filePer === 'key';
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
    staged.records += 1;
    if (record.isScratch && this.#tryMove(record, output)) return;
    this.#endRun();
    const before = staged.pending.length;
    this.#format.write(staged.pending, record, this.#cut.id);
    this.#pendingBytes += staged.pending.length - before;
    this.#flushIfFull(output);
  }

  /** The files, whole and synced; `end` is the last offset that was taken. */
  async finish(end: number): Promise<EncodedFile[]> {
    this.#endRun();
    const files: EncodedFile[] = [];
    const taken = new Set<string>();
    for (const output of this.#outputs) {
      const name = this.#nameOf(output, end, taken);
      taken.add(name.toLowerCase());
      files.push(await this.#finish(output, name));
    }
    return files;
  }

  /**
   * Of keys that differ in case alone the later ones are hashed: on a mount where case does not
   * matter theirs would be the same file. Everywhere, so that a claim fits any mount.
   */
  #nameOf(output: Output, cutEnd: number, taken: ReadonlySet<string>): string {
    const { hour, offset } = output;
    const { id, hasPlainNames = false } = this.#cut;
    const parts = {
      id,
      key: output.key?.bytes,
      hour,
      start: offset ?? this.#cut.start,
      end: offset ?? cutEnd,
      extension: `${this.#format.extension}${this.#compression.suffix}`,
    };
    const name = fileName(parts);
    if (hasPlainNames || !taken.has(name.toLowerCase())) return name;
    return fileName({ ...parts, isKeyHashed: true });
  }

  /** Lets go of what is open: these files are not wanted any more. */
  abandon(): void {
    this.#run = undefined;
    for (const { staged } of this.#outputs) staged.rest();
  }

  /**
   * Moves the record up to those before it: one copy within memory that is in the cache already,
   * and without a view of it, instead of one into the file's own.
   */
  #tryMove(record: RecordView, output: Output): boolean {
    const { bytes, view, valueStart } = record;
    const run = this.#run;
    const goesOn = run !== undefined && run.bytes === bytes && run.output === output;
    const start = goesOn ? run.end : valueStart;
    const end = this.#format.moveTo?.(start, record);
    if (end === undefined) return false;
    if (goesOn) {
      run.end = end;
    } else {
      this.#endRun();
      this.#run = { output, bytes, view, start, end };
    }
    return true;
  }

  /** Hands over what was moved together. */
  #endRun(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const { output, bytes, start, end } = run;
    const { staged } = output;
    if (staged.canWrite(end - start)) {
      this.#write(output, bytes.subarray(start, end));
      return;
    }
    staged.pending.copy(run, start, end);
    this.#pendingBytes += end - start;
    this.#flushIfFull(output);
  }

  #flushIfFull(output: Output): void {
    if (output.staged.isFull) this.#flush(output);
    else if (this.#pendingBytes > MAX_PENDING_BYTES) this.#flushAll();
  }

  #flush(output: Output): void {
    const { pending } = output.staged;
    this.#pendingBytes -= pending.length;
    this.#write(output, pending.view());
    pending.clear();
  }

  #write(output: Output, content: Buffer): void {
    const { staged } = output;
    const wasOpen = staged.isOpen;
    staged.write(content);
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
    return this.#isFilePerKey && record.keyEnd >= 0;
  }

  #isFor(output: Output, record: RecordView, hour: number): boolean {
    if (output.hour !== hour) return false;
    const { key } = output;
    if (key === undefined) return !this.#hasKey(record);
    return this.#hasKey(record) && equalBytes(record, record.keyStart, record.keyEnd, key);
  }

  #addOutput(key: Buffer | undefined, hour: number, offset?: number): Output {
    const path = join(this.#directory, `${this.#outputs.length}.part`);
    const staged = new StagedFile(this.#disk, path, this.#compression);
    const output: Output = { key: key && viewed(key), hour, offset, staged };
    this.#outputs.push(output);
    return output;
  }

  async #finish({ key: keyed, staged }: Output, name: string): Promise<EncodedFile> {
    const key = keyed?.bytes;
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
