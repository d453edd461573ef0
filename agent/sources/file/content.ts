import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { DiskFile } from '../../../system/index.js';

/** The bytes of a file as they were written, whether it has been compressed since or not. */
export interface Content {
  /**
   * Up to `length` bytes of content from `position`, copied to `target`; fewer only at the end.
   * Throws ContentError where compressed content is damaged, and the disk's errors.
   */
  read(target: Buffer, offset: number, length: number, position: number): Promise<number> | number;
  /** Whether a read that came to the end found it well formed: nothing has to follow. */
  readonly isWhole: boolean;
}

/** A compressed file holds something else than it should. */
export class ContentError extends Error {
  override readonly name = 'ContentError';
  readonly code = 'BAD_CONTENT';
}

/** Longer reads may meet a slow disk with nothing in memory: they leave the event loop. */
const synchronousBytes = 64 * 1024;

/** An uncompressed file. */
export class PlainContent implements Content {
  readonly isWhole = true;

  constructor(private readonly file: DiskFile) {}

  read(target: Buffer, offset: number, length: number, position: number): Promise<number> | number {
    if (length <= synchronousBytes) return this.file.readSync(target, offset, length, position);
    return this.file.read(target, offset, length, position);
  }
}

/**
 * A gzip file of one or more members. Going forward is cheap; a read before the last one starts
 * again from the beginning. An end in mid-stream is the end of what has been written so far.
 */
export class GzipContent implements Content {
  isWhole = false;
  #output: AsyncIterator<Buffer> | undefined;
  /** Decompressed and still needed, from `#position` on. */
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #position = 0;

  constructor(private readonly file: DiskFile) {}

  async read(target: Buffer, offset: number, length: number, position: number): Promise<number> {
    if (!this.#output || position < this.#position) this.#restart();
    for (;;) {
      this.#dropBefore(position);
      if (this.#position === position && this.#chunkBytes >= length) break;
      const next = await this.#next();
      if (!next) break;
      this.#chunks.push(next);
      this.#chunkBytes += next.length;
    }
    if (this.#position < position) return 0;
    return this.#copy(target, offset, length);
  }

  #restart(): void {
    const output = Readable.from(this.#rawChunks(), { objectMode: false });
    const gunzip = createGunzip({ chunkSize: 64 * 1024 });
    output.on('error', (error) => gunzip.destroy(error));
    // Whoever reads it hears of it; one that was left behind may find its file closed.
    gunzip.on('error', () => {});
    this.#output = output.pipe(gunzip)[Symbol.asyncIterator]();
    this.isWhole = false;
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#position = 0;
  }

  async *#rawChunks(): AsyncGenerator<Buffer> {
    let position = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(64 * 1024);
      const bytes = await this.file.read(chunk, 0, chunk.length, position);
      if (bytes === 0) return;
      position += bytes;
      yield chunk.subarray(0, bytes);
    }
  }

  async #next(): Promise<Buffer | undefined> {
    try {
      const result = await this.#output?.next();
      if (result?.done === false) return result.value;
      this.isWhole = true;
      return undefined;
    } catch (error) {
      // What has not been written yet may have come when the next read starts afresh.
      this.#output = undefined;
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'Z_BUF_ERROR') return undefined;
      if (!code?.startsWith('Z_')) throw error;
      throw new ContentError(`${this.file.path} is no whole gzip file: ${message}`, {
        cause: error,
      });
    }
  }

  #dropBefore(position: number): void {
    for (;;) {
      const first = this.#chunks[0];
      const surplus = position - this.#position;
      if (!first || surplus <= 0) return;
      const dropped = Math.min(surplus, first.length);
      if (dropped === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(dropped);
      this.#chunkBytes -= dropped;
      this.#position += dropped;
    }
  }

  #copy(target: Buffer, offset: number, length: number): number {
    let copied = 0;
    for (const chunk of this.#chunks) {
      if (copied === length) break;
      copied += chunk.copy(target, offset + copied, 0, Math.min(chunk.length, length - copied));
    }
    return copied;
  }
}
