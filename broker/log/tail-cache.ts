import { batchSizeAt, lastOffsetAt } from './format.js';
import type { StoredBatch } from './stored-batch.js';
import type { TailChunk, TailMemory } from './tail-memory.js';

/** A log that is seldom written keeps little memory; a busy one works its way up. */
const SMALLEST_CHUNK_BYTES = 16 * 1024;
const LARGEST_CHUNK_BYTES = 512 * 1024;
/** At least so many bytes between two marks. */
const MARK_BYTES = 4096;

const NOTHING = Buffer.alloc(0);

/** Whole batches back to back. Filled from the front, never changed behind that. */
class Chunk implements TailChunk {
  readonly bytes: Buffer;
  readonly evict: () => void;
  lent = false;
  usedBytes = 0;
  /** First offset held. */
  readonly baseOffset: number;
  /** Behind the last offset held. */
  nextOffset: number;
  /** Sparse index: base offsets of some batches and where these start; both grow. */
  readonly #markOffsets: number[] = [];
  readonly #markPositions: number[] = [];

  constructor(bytes: Buffer, baseOffset: number, evict: (chunk: Chunk) => void) {
    this.bytes = bytes;
    this.baseOffset = baseOffset;
    this.nextOffset = baseOffset;
    this.evict = () => evict(this);
  }

  hasRoom(sizeBytes: number): boolean {
    return this.usedBytes + sizeBytes <= this.bytes.length;
  }

  append(batch: StoredBatch): void {
    const { sizeBytes } = batch.header;
    const lastMark = this.#markPositions.at(-1);
    if (lastMark === undefined || this.usedBytes - lastMark >= MARK_BYTES) {
      this.#markOffsets.push(batch.baseOffset);
      this.#markPositions.push(this.usedBytes);
    }
    batch.bytes.copy(this.bytes, this.usedBytes, batch.start, batch.start + sizeBytes);
    this.usedBytes += sizeBytes;
    this.nextOffset = batch.lastOffset + 1;
  }

  /** Position of the batch that holds `offset`, or of the first one behind it. */
  positionOf(offset: number): number {
    let position = this.#lastMark(this.#markOffsets, offset);
    while (lastOffsetAt(this.bytes, position) < offset) {
      position += batchSizeAt(this.bytes, position);
    }
    return position;
  }

  /** Behind the last whole batch that lies before `maxPosition` and ends before `maxOffset`. */
  endBefore(start: number, maxPosition: number, maxOffset: number): number {
    if (maxPosition >= this.usedBytes && maxOffset >= this.nextOffset) return this.usedBytes;
    const byBytes = this.#lastMark(this.#markPositions, maxPosition);
    // The last mark below maxOffset may start a batch that ends beyond it; the walk stops there.
    const byOffset = this.#lastMark(this.#markOffsets, maxOffset - 1);
    let position = Math.max(start, Math.min(byBytes, byOffset));
    while (position < this.usedBytes) {
      const next = position + batchSizeAt(this.bytes, position);
      if (next > maxPosition || lastOffsetAt(this.bytes, position) >= maxOffset) break;
      position = next;
    }
    return position;
  }

  /** Position of the last mark whose value in `values` is not above `limit`. */
  #lastMark(values: readonly number[], limit: number): number {
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[middle] ?? 0) > limit) high = middle;
      else low = middle + 1;
    }
    return this.#markPositions[low - 1] ?? 0;
  }
}

/** What a reader asks of the tail. */
export interface TailRead {
  readonly offset: number;
  readonly maxBytes: number;
  /** Only batches that end before it. */
  readonly maxOffset: number;
  /** Take one batch even where it alone is larger than `maxBytes`. */
  readonly minOneBatch: boolean;
}

/**
 * The newest batches of a log in memory of their own: always a run of whole batches that ends at
 * the log's end. Once more than all of the memory was appended without a read nobody seems to read
 * this log, and nothing is copied until somebody does. What was read stays valid, because a chunk
 * that was read from is only filled, never reused.
 */
export class TailCache {
  readonly #memory: TailMemory;
  readonly #chunks: Chunk[] = [];
  /** Appended since somebody read the log, or since it was opened. */
  #unreadBytes = 0;

  constructor(memory: TailMemory) {
    this.#memory = memory;
  }

  /** Somebody reads the log: what is appended next is worth keeping. */
  expectReads(): void {
    this.#unreadBytes = 0;
  }

  /** Copies a batch that was appended to the log, where a reader may be expected. */
  append(batch: StoredBatch): void {
    const { sizeBytes } = batch.header;
    this.#unreadBytes += sizeBytes;
    if (this.#unreadBytes > this.#memory.maxBytes) {
      this.clear();
      return;
    }
    const last = this.#chunks.at(-1);
    if (last?.hasRoom(sizeBytes)) {
      last.append(batch);
      return;
    }
    const grown = Math.min((last?.bytes.length ?? 0) * 2, LARGEST_CHUNK_BYTES);
    const capacity = Math.max(grown, SMALLEST_CHUNK_BYTES, sizeBytes);
    const memory = this.#memory.take(capacity);
    const chunk = new Chunk(memory, batch.baseOffset, (evicted) => this.#evict(evicted));
    chunk.append(batch);
    this.#chunks.push(chunk);
    this.#memory.add(chunk);
  }

  /** The batches asked for, uncopied where they lie together; undefined before the tail. */
  read({ offset, maxBytes, maxOffset, minOneBatch }: TailRead): Buffer | undefined {
    let index = this.#chunks.length - 1;
    while (index >= 0 && (this.#chunks[index]?.baseOffset ?? 0) > offset) index--;
    const found: Buffer[] = [];
    let lender: Chunk | undefined;
    let room = maxBytes;
    let from = offset;
    for (let chunk = this.#chunks[index]; chunk !== undefined; chunk = this.#chunks[++index]) {
      if (chunk.nextOffset <= from) continue;
      const start = chunk.positionOf(from);
      let end = chunk.endBefore(start, start + room, maxOffset);
      if (end === start && found.length === 0 && minOneBatch) {
        end = chunk.endBefore(start, start + batchSizeAt(chunk.bytes, start), maxOffset);
      }
      if (end > start) {
        found.push(chunk.bytes.subarray(start, end));
        lender = chunk;
      }
      room -= end - start;
      if (end < chunk.usedBytes || room <= 0) break;
      from = chunk.nextOffset;
    }
    if (index < 0) return undefined;
    if (found.length > 1) return Buffer.concat(found);
    if (lender !== undefined) lender.lent = true;
    return found[0] ?? NOTHING;
  }

  /** Forgets everything: the log was cut or closed. */
  clear(): void {
    for (const chunk of this.#chunks.splice(0)) this.#memory.remove(chunk);
  }

  #evict(chunk: Chunk): void {
    // A run must stay without holes, so what is older goes too; it was about to.
    const index = this.#chunks.indexOf(chunk);
    for (const gone of this.#chunks.splice(0, index + 1)) this.#memory.remove(gone);
  }
}
