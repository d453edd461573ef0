import { createHash, type Hash } from 'node:crypto';
import { crc32 } from '../../protocol/records/index.js';
import type { Disk, DiskFile } from '../../system/index.js';
import { ByteWriter } from '../byte-writer.js';
import type { Compression } from './compression.js';

/** Content is hashed, compressed and written in slices of at least this size. */
const SLICE_BYTES = 256 * 1024;
const FIRST_CAPACITY_BYTES = 1024;

function isSlice(bytes: number): boolean {
  return bytes >= SLICE_BYTES;
}

/** A file as it was written to disk, compressed or not. */
export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
  /** To see whether it is still the same: a SHA-256 takes seven times as long. */
  readonly crc32: number;
}

/** A file being built: its content so far, hashed as it grows, compressed slice by slice. */
export class StagedFile {
  readonly path: string;
  records = 0;
  /** What is not written yet. */
  readonly pending = new ByteWriter(FIRST_CAPACITY_BYTES);
  readonly #disk: Disk;
  readonly #compression: Compression;
  readonly #hash = createHash('sha256');
  /** Of what is written, where that is not the content itself. */
  readonly #writtenHash: Hash | undefined;
  #file: DiskFile | undefined;
  #isBegun = false;
  #contentBytes = 0;
  #writtenBytes = 0;
  #writtenCrc = 0;

  constructor(disk: Disk, path: string, compression: Compression) {
    this.#disk = disk;
    this.path = path;
    this.#compression = compression;
    this.#writtenHash = compression.isIdentity ? undefined : createHash('sha256');
  }

  /** Content is to be written out now. */
  get isFull(): boolean {
    return isSlice(this.pending.length);
  }

  /** Content of this length can be written as it is, without waiting for more. */
  canWrite(bytes: number): boolean {
    return this.pending.length === 0 && isSlice(bytes);
  }

  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  /** Hashes, compresses and writes what is pending. */
  flush(): void {
    this.write(this.pending.view());
    this.pending.clear();
  }

  /** The same for content behind all that was written; nothing may be pending but `slice`. */
  write(slice: Buffer): void {
    if (slice.length === 0 && this.#isBegun) return;
    this.#hash.update(slice);
    this.#contentBytes += slice.length;
    this.#file ??= this.#disk.openSync(this.path, this.#isBegun ? 'r+' : 'w');
    this.#isBegun = true;
    const bytes = this.#compression.compressSlice(slice);
    this.#file.writeSync([bytes], this.#writtenBytes);
    this.#writtenBytes += bytes.length;
    this.#writtenCrc = crc32(bytes, this.#writtenCrc);
    this.#writtenHash?.update(bytes);
  }

  /** Gives the file descriptor back; the next `write` opens the file again. */
  rest(): void {
    this.#file?.closeSync();
    this.#file = undefined;
  }

  /** The whole file is on disk and survives a power cut. */
  async finish(): Promise<{ bytes: number; sha256: string; written: WrittenFile }> {
    this.flush();
    this.#file ??= this.#disk.openSync(this.path, 'r+');
    await this.#file.sync();
    this.rest();
    const sha256 = this.#hash.digest('hex');
    const written = {
      bytes: this.#writtenBytes,
      sha256: this.#writtenHash?.digest('hex') ?? sha256,
      crc32: this.#writtenCrc,
    };
    return { bytes: this.#contentBytes, sha256, written };
  }
}
