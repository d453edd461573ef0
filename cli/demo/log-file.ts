import { join } from 'node:path';
import type { Disk, DiskFile } from '../../system/index.js';

/**
 * How a log file is rotated, as logrotate does it: `rename` and create at once; `copytruncate`;
 * or `reopen`: rename, write on into the renamed file for a while, then create anew.
 */
export type RotationStyle = 'rename' | 'copytruncate' | 'reopen';

const COPY_CHUNK_BYTES = 1024 * 1024;

/** One of the application's log files, through all its rotations. */
export class DemoLogFile {
  readonly name: string;
  /** Rotations so far. */
  rotations = 0;
  readonly #disk: Disk;
  readonly #path: string;
  readonly #style: RotationStyle;
  readonly #keep: number;
  #file: DiskFile;
  #size: number;
  /** Between the two halves of a `reopen` rotation. */
  #renamed = false;

  constructor(
    disk: Disk,
    directory: string,
    options: { readonly name: string; readonly style: RotationStyle; readonly keep: number },
  ) {
    this.#disk = disk;
    this.name = options.name;
    this.#path = join(directory, options.name);
    this.#style = options.style;
    this.#keep = options.keep;
    this.#file = disk.openSync(this.#path, 'a+');
    this.#size = this.#file.statSync().size;
  }

  append(bytes: Uint8Array): void {
    this.#file.writeSync([bytes], this.#size);
    this.#size += bytes.length;
  }

  /** Rotates; a `reopen` is finished by the next `reopenIfRenamed`. */
  rotate(): void {
    this.reopenIfRenamed();
    this.#shift();
    this.rotations++;
    if (this.#style === 'copytruncate') {
      this.#copyTo(`${this.#path}.1`);
      this.#file.truncateSync(0);
      this.#size = 0;
      return;
    }
    this.#disk.renameSync(this.#path, `${this.#path}.1`);
    this.#renamed = true;
    if (this.#style === 'rename') this.reopenIfRenamed();
  }

  /** What an application does when it is told that its log was moved away. */
  reopenIfRenamed(): void {
    if (!this.#renamed) return;
    this.#renamed = false;
    this.#file.closeSync();
    this.#file = this.#disk.openSync(this.#path, 'a+');
    this.#size = this.#file.statSync().size;
  }

  close(): void {
    this.#file.closeSync();
  }

  #shift(): void {
    this.#disk.removeSync(`${this.#path}.${this.#keep}`);
    for (let number = this.#keep - 1; number >= 1; number--) {
      const from = `${this.#path}.${number}`;
      if (this.#disk.statSync(from)) this.#disk.renameSync(from, `${this.#path}.${number + 1}`);
    }
  }

  #copyTo(path: string): void {
    const copy = this.#disk.openSync(path, 'w');
    const chunk = Buffer.allocUnsafe(COPY_CHUNK_BYTES);
    for (let position = 0; ; ) {
      const count = this.#file.readSync(chunk, 0, chunk.length, position);
      if (count === 0) break;
      copy.writeSync([chunk.subarray(0, count)], position);
      position += count;
    }
    copy.closeSync();
  }
}
