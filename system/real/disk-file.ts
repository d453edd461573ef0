import * as fs from 'node:fs';
import type { DiskFile, FileStat, OpenMode } from '../disk.js';
import { native } from './disk-path.js';

const { O_RDONLY, O_RDWR, O_CREAT, O_TRUNC, O_EXCL } = fs.constants;

// No O_APPEND for `a+`: with it Linux ignores the position of a write.
const flagsOf: Readonly<Record<OpenMode, number>> = {
  r: O_RDONLY,
  'r+': O_RDWR,
  w: O_RDWR | O_CREAT | O_TRUNC,
  wx: O_RDWR | O_CREAT | O_EXCL,
  'a+': O_RDWR | O_CREAT,
};

/** Device and inode stay exact as numbers: no common file system numbers inodes beyond 2^53. */
export function toFileStat(stats: fs.Stats): FileStat {
  return {
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
    size: stats.size,
    device: stats.dev,
    inode: stats.ino,
    modifiedMs: stats.mtimeMs,
    links: stats.nlink,
  };
}

export function openFileSync(path: string, mode: OpenMode): DiskFile {
  return new RealFile(path, fs.openSync(native(path), flagsOf[mode]));
}

export function openFile(path: string, mode: OpenMode): Promise<DiskFile> {
  return new Promise((resolve, reject) => {
    fs.open(native(path), flagsOf[mode], (error, descriptor) => {
      if (error) reject(error);
      else resolve(new RealFile(path, descriptor));
    });
  });
}

/** Valid for Node and no open file for the kernel: any call gives EBADF. */
const closedDescriptor = 2 ** 31 - 1;

/** Works on the bare descriptor: FileHandle costs ten times as much for small writes. */
class RealFile implements DiskFile {
  #descriptor: number;

  constructor(
    readonly path: string,
    descriptor: number,
  ) {
    this.#descriptor = descriptor;
  }

  readSync(target: Uint8Array, offset: number, length: number, position: number): number {
    return fs.readSync(this.#descriptor, target, offset, length, position);
  }

  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#descriptor, target, offset, length, position, (error, bytesRead) => {
        if (error) reject(error);
        else resolve(bytesRead);
      });
    });
  }

  writeSync(chunks: readonly Uint8Array[], position: number): void {
    let rest = chunks;
    let end = position;
    while (rest.length > 0) {
      const written = fs.writevSync(this.#descriptor, rest, end);
      end += written;
      rest = unwritten(rest, written);
    }
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    let rest = chunks;
    let end = position;
    while (rest.length > 0) {
      const written = await this.#writeOnce(rest, end);
      end += written;
      rest = unwritten(rest, written);
    }
  }

  #writeOnce(chunks: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.writev(this.#descriptor, chunks, position, (error, written) => {
        if (error) reject(error);
        else resolve(written);
      });
    });
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#descriptor, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  syncSync(): void {
    fs.fdatasyncSync(this.#descriptor);
  }

  truncateSync(size: number): void {
    fs.ftruncateSync(this.#descriptor, size);
  }

  statSync(): FileStat {
    return toFileStat(fs.fstatSync(this.#descriptor));
  }

  closeSync(): void {
    if (this.#descriptor === closedDescriptor) return;
    const descriptor = this.#descriptor;
    this.#descriptor = closedDescriptor;
    fs.closeSync(descriptor);
  }
}

/** What is left of `chunks` after a write took the first `written` bytes; empty chunks go too. */
function unwritten(chunks: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let taken = written;
  for (const [index, chunk] of chunks.entries()) {
    if (chunk.length > taken) return [chunk.subarray(taken), ...chunks.slice(index + 1)];
    taken -= chunk.length;
  }
  return [];
}
