import { ChunkCursor } from '../spool-format.js';
import type { OffsetSpan } from './outbox.js';

/** Walks the records of a cut that one request holds. */
export class SpanCursor extends ChunkCursor {
  #span: OffsetSpan = { start: 0, end: -1 };

  constructor(chunk: Buffer, span: OffsetSpan) {
    super();
    this.open(chunk);
    this.#span = span;
  }

  override next(): boolean {
    const { start, end } = this.#span;
    while (super.next()) {
      if (this.offset > end) return false;
      if (this.offset >= start) return true;
    }
    return false;
  }
}

/** The offsets of a chunk's records, in order. */
export function offsetsOf(chunk: Buffer): number[] {
  const records = new ChunkCursor();
  records.open(chunk);
  const offsets: number[] = [];
  while (records.next()) offsets.push(records.offset);
  return offsets;
}
