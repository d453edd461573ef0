import { copyBytes, type ViewedBytes, viewed } from './copy-bytes.js';

/** Bytes being put together; its memory grows as needed and is used again after `clear`. */
export class ByteWriter {
  #memory: ViewedBytes;
  #length = 0;

  constructor(capacityBytes = 4096) {
    this.#memory = viewed(Buffer.allocUnsafe(capacityBytes));
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory held. */
  get capacityBytes(): number {
    return this.#memory.bytes.length;
  }

  /** A view of what was written; valid until the next write. */
  view(): Buffer {
    return this.#memory.bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    if (this.#length === this.#memory.bytes.length) this.#grow(1);
    this.#memory.bytes[this.#length] = value;
    this.#length += 1;
  }

  copy(source: ViewedBytes, start: number, end: number): void {
    const length = end - start;
    if (this.#length + length > this.#memory.bytes.length) this.#grow(length);
    copyBytes(source, start, end, this.#memory, this.#length);
    this.#length += length;
  }

  text(text: string): void {
    // Three bytes for each UTF-16 unit are always enough.
    if (this.#length + text.length * 3 > this.#memory.bytes.length) this.#grow(text.length * 3);
    this.#length += this.#memory.bytes.write(text, this.#length);
  }

  #grow(by: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.#memory.bytes.length * 2, this.#length + by));
    this.#memory.bytes.copy(larger, 0, 0, this.#length);
    this.#memory = viewed(larger);
  }
}
