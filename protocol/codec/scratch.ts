const INITIAL_BYTES = 16 * 1024;
/** Memory that grew beyond this is let go of after the message. */
const MAX_KEPT_BYTES = 1024 * 1024;

/**
 * The memory in which one message after another is built. It grows, and is another Buffer then, so
 * nobody else keeps it: the one way to it is `take`, which makes room first. Written as
 * `take(4).writeInt32BE(value, scratch.start)`, both the memory and the place are those after it.
 */
export class Scratch {
  private memory = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  /** Bytes of the message so far; those before it were all written. */
  length = 0;
  /** Where the bytes begin that the last `take` made room for. */
  start = 0;

  /** Makes the message `size` bytes longer; they are the caller's to write, from `start` on. */
  take(size: number): Buffer {
    const end = this.length + size;
    if (end > this.memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, this.memory.length * 2));
      this.memory.copy(larger, 0, 0, this.length);
      this.memory = larger;
    }
    this.start = this.length;
    this.length = end;
    return this.memory;
  }

  /** Starts a message. */
  clear(): void {
    this.length = 0;
  }

  /** The message, in memory of its own. */
  copyOut(): Buffer {
    const message = Buffer.allocUnsafe(this.length);
    this.memory.copy(message, 0, 0, this.length);
    if (this.memory.length > MAX_KEPT_BYTES) this.memory = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    return message;
  }
}
