import { ProtocolError } from './codec/index.js';

/** Smaller frames are not worth keeping. */
const MIN_KEPT_BYTES = 16 * 1024;
/** Memory is taken in multiples of this, so that frames of nearly the same size can share it. */
const GRAIN_BYTES = 64 * 1024;

/**
 * Memory of frames that are done with, for later ones. Without it each large request costs a fresh
 * allocation, with its page faults and its share of garbage collection.
 */
export class FrameMemory {
  private readonly spare: Buffer[] = [];
  private spareBytes = 0;
  /**
   * What was handed out and has not come back. Only that is taken back, and once: any other slice
   * may share its memory with others, as those of Node's pool do (`Buffer.poolSize`).
   */
  private readonly lent = new WeakSet<ArrayBufferLike>();

  /** @param maxBytes how much is kept at most */
  constructor(private readonly maxBytes: number) {}

  /** Memory for a frame; its content is arbitrary. */
  take(size: number): Buffer {
    for (let index = this.spare.length - 1; index >= 0; index--) {
      const spare = this.spare[index] as Buffer;
      if (spare.length < size || spare.length > size + GRAIN_BYTES) continue;
      this.spare.splice(index, 1);
      this.spareBytes -= spare.length;
      return this.lend(spare).subarray(0, size);
    }
    if (size < MIN_KEPT_BYTES || this.maxBytes === 0) return Buffer.allocUnsafeSlow(size);
    const grains = Math.ceil(size / GRAIN_BYTES);
    return this.lend(Buffer.allocUnsafeSlow(grains * GRAIN_BYTES)).subarray(0, size);
  }

  private lend(memory: Buffer): Buffer {
    this.lent.add(memory.buffer);
    return memory;
  }

  /**
   * Takes back what `take` gave, or a slice of it; other memory is left alone. Nothing may refer
   * to it any more.
   */
  give(frame: Buffer): void {
    if (!this.lent.delete(frame.buffer)) return;
    const whole = Buffer.from(frame.buffer);
    if (this.spareBytes + whole.length > this.maxBytes) return;
    this.spare.push(whole);
    this.spareBytes += whole.length;
  }
}

/** Memory taken for a frame before its bytes arrive; beyond it grows with what has arrived. */
const MAX_EAGER_BYTES = 1024 * 1024;

/**
 * Cuts a byte stream into frames (int32 length, then the bytes). A frame is copied once, out of
 * the receive buffer into memory of its own, so it may outlive the call; but for one that lies
 * in the receive buffer as a whole, where the callee has asked for views.
 */
export class FrameSplitter {
  private readonly lengthBytes = Buffer.alloc(4);
  /** Bytes of the length that have arrived, 0 to 4. */
  private lengthFilled = 0;
  private frame: Buffer | undefined;
  private frameSize = 0;
  private frameFilled = 0;

  /**
   * @param maxBytes the largest frame that is accepted (`socket.request.max.bytes`)
   * @param memory where frames that are done with may be given back
   */
  constructor(
    private readonly maxBytes: number,
    private readonly memory: FrameMemory = new FrameMemory(0),
  ) {}

  /**
   * Takes in received bytes. With `views`, a frame that lies in `bytes` as a whole is a view of
   * them. Throws ProtocolError (TOO_LARGE, MALFORMED): close the connection.
   */
  push(bytes: Buffer, onFrame: (frame: Buffer, isView: boolean) => void, views = false): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.frame === undefined) {
        at = this.takeLength(bytes, at);
        if (this.lengthFilled < 4) return;
        const size = this.announcedSize();
        if (views && size <= bytes.length - at) {
          this.lengthFilled = 0;
          onFrame(bytes.subarray(at, at + size), true);
          at += size;
          continue;
        }
        this.startFrame(size);
      }
      at = this.takeBody(bytes, at);
      if (this.frame !== undefined && this.frameFilled === this.frameSize) {
        const frame = this.frame;
        this.frame = undefined;
        this.lengthFilled = 0;
        onFrame(frame, false);
      }
    }
  }

  /** Size of the frame of which a part has arrived; 0 between frames. */
  get pendingBytes(): number {
    return this.frame === undefined ? 0 : this.frameSize;
  }

  private takeLength(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + 4 - this.lengthFilled);
    bytes.copy(this.lengthBytes, this.lengthFilled, at, end);
    this.lengthFilled += end - at;
    return end;
  }

  private announcedSize(): number {
    const size = this.lengthBytes.readInt32BE(0);
    if (size < 0) throw new ProtocolError('MALFORMED', `a frame cannot have ${size} bytes`);
    if (size > this.maxBytes) {
      const limit = `${this.maxBytes} bytes are accepted`;
      throw new ProtocolError('TOO_LARGE', `a frame of ${size} bytes was announced, ${limit}`);
    }
    return size;
  }

  private startFrame(size: number): void {
    this.frameSize = size;
    this.frameFilled = 0;
    this.frame = this.memory.take(Math.min(size, MAX_EAGER_BYTES));
  }

  private takeBody(bytes: Buffer, at: number): number {
    let frame = this.frame as Buffer;
    const end = Math.min(bytes.length, at + this.frameSize - this.frameFilled);
    const filled = this.frameFilled + end - at;
    if (filled > frame.length) {
      const larger = Math.min(this.frameSize, Math.max(filled, frame.length * 2));
      const grown = this.memory.take(larger);
      frame.copy(grown, 0, 0, this.frameFilled);
      this.memory.give(frame);
      this.frame = frame = grown;
    }
    bytes.copy(frame, this.frameFilled, at, end);
    this.frameFilled = filled;
    return end;
  }
}
