import type { Disk, DiskFile, FileStat } from '../../../system/index.js';

/** A file that was closed for want of descriptors is not at its path any more. */
export class VanishedError extends Error {
  override readonly name = 'VanishedError';
  readonly code = 'ENOENT';
}

/**
 * Opens files for reading, no more than `limit` at a time: then the one that has rested longest is
 * closed until it is needed, and found again by its path, if the file there is still the same one.
 * Else its methods throw VanishedError.
 */
export class Descriptors {
  /** Those that are open, the one used last at the end. */
  readonly #open = new Set<RestingFile>();

  constructor(
    private readonly disk: Disk,
    private readonly limit: number,
  ) {}

  /** @param pathNow gives the path at which it was seen last. */
  open(path: string, pathNow: () => string): DiskFile {
    if (this.limit === Number.POSITIVE_INFINITY) return this.disk.openSync(path, 'r');
    this.#makeRoom();
    const file = this.disk.openSync(path, 'r');
    return new RestingFile(file, pathNow, {
      stat: (at) => this.disk.statSync(at),
      reopen: (at) => {
        this.#makeRoom();
        return this.disk.openSync(at, 'r');
      },
      used: (one) => {
        this.#open.delete(one);
        this.#open.add(one);
      },
      closed: (one) => this.#open.delete(one),
    });
  }

  #makeRoom(): void {
    for (const file of this.#open) {
      if (this.#open.size < this.limit) return;
      if (file.rest()) this.#open.delete(file);
    }
  }
}

interface Owner {
  stat(path: string): FileStat | undefined;
  reopen(path: string): DiskFile;
  used(file: RestingFile): void;
  closed(file: RestingFile): void;
}

/** Looks like an open file; has a descriptor only while it is used. */
class RestingFile implements DiskFile {
  #file: DiskFile | undefined;
  #isClosed = false;
  /** Reads on the threadpool: their descriptor must not become another file's. */
  #reading = 0;
  #last: FileStat;

  constructor(
    file: DiskFile,
    private readonly pathNow: () => string,
    private readonly owner: Owner,
  ) {
    this.#file = file;
    this.#last = file.statSync();
    owner.used(this);
  }

  get path(): string {
    return this.pathNow();
  }

  /** Gives the descriptor back; false where it is in use. */
  rest(): boolean {
    if (this.#reading > 0) return false;
    this.#file?.closeSync();
    this.#file = undefined;
    return true;
  }

  readSync(target: Uint8Array, offset: number, length: number, position: number): number {
    return this.#wake().readSync(target, offset, length, position);
  }

  async read(
    target: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<number> {
    const file = this.#wake();
    this.#reading++;
    try {
      return await file.read(target, offset, length, position);
    } finally {
      this.#reading--;
    }
  }

  statSync(): FileStat {
    const found = this.#file ? this.#file.statSync() : this.owner.stat(this.path);
    if (!found || !isSame(found, this.#last)) throw this.#vanished();
    // Nothing held its inode, so what is shorter now is more likely a new file than a cut one.
    if (this.#file === undefined && found.size < this.#last.size) throw this.#vanished();
    this.#last = found;
    return found;
  }

  writeSync(): void {
    throw this.#readOnly();
  }

  async write(): Promise<void> {
    throw this.#readOnly();
  }

  async sync(): Promise<void> {}

  syncSync(): void {}

  truncateSync(): void {
    throw this.#readOnly();
  }

  closeSync(): void {
    this.#isClosed = true;
    this.#file?.closeSync();
    this.#file = undefined;
    this.owner.closed(this);
  }

  #wake(): DiskFile {
    if (this.#isClosed) throw Object.assign(new Error('the file is closed'), { code: 'EBADF' });
    if (this.#file === undefined) {
      const file = this.#reopened();
      this.#file = file;
    }
    this.owner.used(this);
    return this.#file;
  }

  #reopened(): DiskFile {
    let file: DiskFile;
    try {
      file = this.owner.reopen(this.path);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? this.#vanished() : error;
    }
    if (isSame(file.statSync(), this.#last)) return file;
    file.closeSync();
    throw this.#vanished();
  }

  #vanished(): Error {
    return new VanishedError(`${this.path} is gone, or another file; the one it was is sought`);
  }

  #readOnly(): Error {
    return Object.assign(new Error(`${this.path} is open for reading`), { code: 'EBADF' });
  }
}

function isSame(a: FileStat, b: FileStat): boolean {
  return a.inode === b.inode && a.device === b.device;
}
