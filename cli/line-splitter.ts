const LINE_FEED = 0x0a;

/** Cuts a stream of chunks into lines without their `\n`; bytes are kept as they are. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** The lines that this chunk completes. */
  push(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const line = chunk.subarray(start, end);
      lines.push(this.#rest.length > 0 ? Buffer.concat([this.#rest, line]) : line);
      this.#rest = Buffer.alloc(0);
      start = end + 1;
    }
    if (start < chunk.length) this.#rest = Buffer.concat([this.#rest, chunk.subarray(start)]);
    return lines;
  }

  /** The last line where it has no `\n`. */
  end(): Buffer[] {
    return this.#rest.length > 0 ? [this.#rest] : [];
  }
}
