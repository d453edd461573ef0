import type { Disk, OpenMode } from '../../system/index.js';

const FIRST_CAPACITY = 64;
const NOTHING = Buffer.alloc(0);

/**
 * The entries of one index, all of one size. While its segment is written they live in memory and
 * are saved now and then: after a crash the segment is scanned and its indexes are built anew, so
 * no entry needs to reach the file before the segment is rolled.
 */
export class EntryFile {
  readonly path: string;
  readonly #disk: Disk;
  readonly #entryBytes: number;
  /** Holds at least `#count` entries while resident. */
  #bytes: Buffer = NOTHING;
  #count = 0;
  /** Entries that the file already holds; never above `#count`. */
  #saved = 0;
  #resident = false;

  constructor(disk: Disk, path: string, entryBytes: number) {
    this.#disk = disk;
    this.path = path;
    this.#entryBytes = entryBytes;
  }

  /** Entries that can be looked at: none before `load`. */
  get count(): number {
    return this.#resident ? this.#count : 0;
  }

  /** Whether the entries are in memory. */
  get resident(): boolean {
    return this.#resident;
  }

  /** The entries' memory; entry `i` starts at `i` times its size. Only while resident. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Makes room for one more entry and returns where its bytes begin in `bytes`. */
  extend(): number {
    const at = this.#count * this.#entryBytes;
    if (at + this.#entryBytes > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(FIRST_CAPACITY * this.#entryBytes, at * 2));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#count++;
    return at;
  }

  /** Creates the file, empty, and as large as `preallocateBytes` (sparse). */
  create(preallocateBytes: number): void {
    this.#count = 0;
    this.#saved = 0;
    this.#bytes = NOTHING;
    this.#resident = true;
    this.#resize('w', this.#capacity(preallocateBytes));
  }

  /** Drops the entries from `count` on. */
  truncate(count: number): void {
    this.#count = Math.min(this.#count, count);
    this.#saved = Math.min(this.#saved, count);
  }

  /** Writes what the file does not hold yet. */
  save(): void {
    if (this.#saved === this.#count) return;
    const file = this.#disk.openSync(this.path, 'r+');
    try {
      const start = this.#saved * this.#entryBytes;
      file.writeSync([this.#bytes.subarray(start, this.#count * this.#entryBytes)], start);
      this.#saved = this.#count;
    } finally {
      file.closeSync();
    }
  }

  /** Saves and cuts the file to its entries: the segment is not written any more. */
  trim(): void {
    this.save();
    this.#resize('r+', this.#count * this.#entryBytes);
  }

  /** Makes the file large again: the segment is written again. */
  reopen(preallocateBytes: number): void {
    this.#resize('r+', this.#capacity(preallocateBytes));
  }

  /** Resolves when what was saved survives a power cut. */
  async sync(): Promise<void> {
    const file = await this.#disk.open(this.path, 'r+');
    try {
      await file.sync();
    } finally {
      file.closeSync();
    }
  }

  /** Reads the whole (trimmed) file into memory. False where its size cannot be right. */
  async load(): Promise<boolean> {
    if (this.#resident) return true;
    const bytes = await this.#disk.readFile(this.path);
    this.#bytes = bytes;
    this.#count = Math.floor(bytes.length / this.#entryBytes);
    this.#saved = this.#count;
    this.#resident = true;
    return bytes.length % this.#entryBytes === 0;
  }

  /** Gives the memory back; `load` brings it again. Only what is saved may be unloaded. */
  unload(): void {
    if (this.#saved < this.#count) return;
    this.#bytes = NOTHING;
    this.#resident = false;
  }

  /**
   * Drops what is in memory, because it does not fit its segment: `load` reads the file again or,
   * where the segment is still written (`entries`), it starts over without any.
   */
  forget(entries: boolean): void {
    if (entries) this.truncate(0);
    else {
      this.#bytes = NOTHING;
      this.#resident = false;
    }
  }

  /** Whether entries fit, within the size the file may have, for one append and for sealing. */
  hasRoom(maxBytes: number): boolean {
    return (this.#count + 2) * this.#entryBytes <= maxBytes;
  }

  /** The last entry of the (trimmed) file; undefined where the file is missing or not whole. */
  readLast(): { count: number; entry: Buffer } | undefined {
    const size = this.#disk.statSync(this.path)?.size;
    if (size === undefined || size % this.#entryBytes !== 0) return undefined;
    this.#count = size / this.#entryBytes;
    this.#saved = this.#count;
    const entry = Buffer.alloc(size === 0 ? 0 : this.#entryBytes);
    const file = this.#disk.openSync(this.path, 'r');
    try {
      file.readSync(entry, 0, entry.length, size - entry.length);
    } finally {
      file.closeSync();
    }
    return { count: this.#count, entry };
  }

  #resize(mode: OpenMode, sizeBytes: number): void {
    const file = this.#disk.openSync(this.path, mode);
    try {
      file.truncateSync(sizeBytes);
    } finally {
      file.closeSync();
    }
  }

  #capacity(preallocateBytes: number): number {
    const entries = Math.floor(preallocateBytes / this.#entryBytes);
    return Math.max(entries, this.#count) * this.#entryBytes;
  }
}

/**
 * The last of `count` sorted entries that is not above the target, -1 if there is none.
 * `isAbove(entry)` says whether an entry is.
 */
export function lastNotAbove(count: number, isAbove: (entry: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAbove(middle)) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}
