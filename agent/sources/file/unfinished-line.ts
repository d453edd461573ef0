const nothing = Buffer.alloc(0);

/** The beginning of a line whose end is not there yet. Grows in memory of its own. */
export class UnfinishedLine {
  bytes: Buffer = nothing;
  /** `bytes` lie at its beginning. */
  #memory: Buffer = nothing;

  clear(): void {
    this.bytes = this.#memory = nothing;
  }

  /** From now on it is a copy of `bytes`. */
  set(bytes: Buffer): void {
    this.bytes = this.#memory = bytes.length === 0 ? nothing : Buffer.from(bytes);
  }

  /** Copies each byte but a few times, however small the pieces are in which it comes. */
  append(more: Buffer): void {
    const length = this.bytes.length + more.length;
    if (length > this.#memory.length) {
      this.#memory = Buffer.allocUnsafe(Math.ceil(length * 1.5));
      this.bytes.copy(this.#memory);
    }
    more.copy(this.#memory, this.bytes.length);
    this.bytes = this.#memory.subarray(0, length);
  }
}
