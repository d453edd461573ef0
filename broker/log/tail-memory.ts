/** A piece of memory that holds the newest batches of one log. */
export interface TailChunk {
  readonly bytes: Buffer;
  /** Whether readers have slices of it, which may still be on their way to a socket. */
  readonly lent: boolean;
  /** Takes the chunk out of its log's cache. */
  readonly evict: () => void;
}

/** Chunks without readers that are kept for the next ones. */
const MAX_SPARE_CHUNKS = 4;

/**
 * The memory that the tail caches of all logs share: once it is used up, the oldest chunk of any
 * log goes. One that nobody has read serves the next chunk: fresh memory costs page faults and,
 * above all, garbage collections. Slices that are still on their way keep theirs alive.
 */
export class TailMemory {
  readonly maxBytes: number;
  /** Oldest first. */
  readonly #chunks = new Set<TailChunk>();
  readonly #spare: Buffer[] = [];
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Memory for a chunk; its content is arbitrary. */
  take(sizeBytes: number): Buffer {
    const index = this.#spare.findIndex(({ length }) => length === sizeBytes);
    const [spare] = index < 0 ? [] : this.#spare.splice(index, 1);
    return spare ?? Buffer.allocUnsafeSlow(sizeBytes);
  }

  /** Counts a chunk and evicts the oldest ones beyond the bound. */
  add(chunk: TailChunk): void {
    this.#chunks.add(chunk);
    this.#usedBytes += chunk.bytes.length;
    for (const oldest of this.#chunks) {
      if (this.#usedBytes <= this.maxBytes) return;
      oldest.evict();
    }
  }

  /** Gives the chunk's bytes free. Idempotent. */
  remove(chunk: TailChunk): void {
    if (!this.#chunks.delete(chunk)) return;
    this.#usedBytes -= chunk.bytes.length;
    if (!chunk.lent && this.#spare.push(chunk.bytes) > MAX_SPARE_CHUNKS) this.#spare.shift();
  }
}
