import type { Disk, DiskFile, OpenMode } from '../../system/index.js';

/**
 * An open file that reads may still be using when its owner closes it: the descriptor goes back
 * with the last of them, never under a read (whose number might then be another file's).
 */
export class SharedFile {
  readonly #file: DiskFile;
  /** Reads under way. */
  #users = 0;
  #closing = false;

  constructor(disk: Disk, path: string, mode: OpenMode) {
    this.#file = disk.openSync(path, mode);
  }

  /** For calls that end before they return. */
  get file(): DiskFile {
    return this.#file;
  }

  /** Up to `length` bytes from `position`; fewer at the end of the file. Memory of its own. */
  async read(position: number, length: number): Promise<Buffer> {
    const target = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    this.#users++;
    try {
      while (filled < length) {
        const count = await this.#file.read(target, filled, length - filled, position + filled);
        if (count === 0) break;
        filled += count;
      }
    } finally {
      this.#leave();
    }
    return filled === length ? target : target.subarray(0, filled);
  }

  async sync(): Promise<void> {
    this.#users++;
    try {
      await this.#file.sync();
    } finally {
      this.#leave();
    }
  }

  /** Closes as soon as nobody reads. Idempotent. */
  close(): void {
    this.#closing = true;
    if (this.#users === 0) this.#file.closeSync();
  }

  #leave(): void {
    this.#users--;
    if (this.#closing && this.#users === 0) this.#file.closeSync();
  }
}
