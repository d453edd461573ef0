import { copyBytes, viewOf } from './copy-bytes.js';

/** Bytes being put together; its memory grows as needed and is used again after `clear`. */
export class ByteWriter {
  #buffer: Buffer;
  #view: DataView;
  #length = 0;

  constructor(capacityBytes = 4096) {
    this.#buffer = Buffer.allocUnsafe(capacityBytes);
    this.#view = viewOf(this.#buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory held. */
  get capacityBytes(): number {
    return this.#buffer.length;
  }

  /** A view of what was written; valid until the next write. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    if (this.#length === this.#buffer.length) this.#grow(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  copy(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.#length + length > this.#buffer.length) this.#grow(length);
    copyBytes(bytes, start, end, this.#buffer, this.#view, this.#length);
    this.#length += length;
  }

  text(text: string): void {
    // Three bytes for each UTF-16 unit are always enough.
    if (this.#length + text.length * 3 > this.#buffer.length) this.#grow(text.length * 3);
    this.#length += this.#buffer.write(text, this.#length);
  }

  #grow(by: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + by));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
    this.#view = viewOf(larger);
  }
}
