import { createHash } from 'node:crypto';
import type { Disk, DiskFile } from '../../system/index.js';
import { ByteWriter } from '../byte-writer.js';
import type { Compression } from './compression.js';

/** Content is hashed, compressed and written in slices of this size. */
const SLICE_BYTES = 256 * 1024;
const FIRST_CAPACITY_BYTES = 1024;

/** A file being built: its content so far, hashed as it grows, compressed slice by slice. */
export class StagedFile {
  readonly path: string;
  records = 0;
  /** What is not written yet. */
  readonly pending = new ByteWriter(FIRST_CAPACITY_BYTES);
  readonly #disk: Disk;
  readonly #compression: Compression;
  readonly #hash = createHash('sha256');
  #file: DiskFile | undefined;
  #isBegun = false;
  #contentBytes = 0;
  #writtenBytes = 0;

  constructor(disk: Disk, path: string, compression: Compression) {
    this.#disk = disk;
    this.path = path;
    this.#compression = compression;
  }

  /** Content is to be written out now. */
  get isFull(): boolean {
    return this.pending.length >= SLICE_BYTES;
  }

  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  /** Hashes, compresses and writes what is pending. */
  flush(): void {
    const slice = this.pending.view();
    if (slice.length === 0 && this.#isBegun) return;
    this.#hash.update(slice);
    this.#contentBytes += slice.length;
    this.#file ??= this.#disk.openSync(this.path, this.#isBegun ? 'r+' : 'w');
    this.#isBegun = true;
    const bytes = this.#compression.compressSlice(slice);
    this.#file.writeSync([bytes], this.#writtenBytes);
    this.#writtenBytes += bytes.length;
    this.pending.clear();
  }

  /** Gives the file descriptor back; the next `flush` opens the file again. */
  rest(): void {
    this.#file?.closeSync();
    this.#file = undefined;
  }

  /** The whole file is on disk and survives a power cut. */
  async finish(): Promise<{ bytes: number; sha256: string }> {
    this.flush();
    this.#file ??= this.#disk.openSync(this.path, 'r+');
    await this.#file.sync();
    this.rest();
    return { bytes: this.#contentBytes, sha256: this.#hash.digest('hex') };
  }
}
