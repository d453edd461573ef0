import type { Disk } from '../../system/index.js';

const CHUNK_BYTES = 1024 * 1024;

/** The content of a file in chunks; each is valid only until the next. */
export function* chunksOf(disk: Disk, path: string): Generator<Buffer> {
  const file = disk.openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let position = 0; ; ) {
      const count = file.readSync(chunk, 0, chunk.length, position);
      if (count === 0) return;
      position += count;
      yield chunk.subarray(0, count);
    }
  } finally {
    file.closeSync();
  }
}

/**
 * The lines of a stream of bytes, each with its `\n` (the last one may lack it), as latin1 text:
 * one character for each byte, so that equal text means equal bytes.
 */
export class Lines {
  #rest = '';

  /** The lines that this chunk completes. */
  *push(chunk: Buffer): Generator<string> {
    const text = this.#rest + chunk.toString('latin1');
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      yield text.slice(start, end + 1);
      start = end + 1;
    }
    this.#rest = text.slice(start);
  }

  /** The last line where it has no `\n`. */
  *end(): Generator<string> {
    if (this.#rest !== '') yield this.#rest;
  }
}

/** The lines of these chunks. */
export function* linesOf(chunks: Iterable<Buffer>): Generator<string> {
  const lines = new Lines();
  for (const chunk of chunks) yield* lines.push(chunk);
  yield* lines.end();
}
