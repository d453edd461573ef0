/** A piece of memory that holds the newest batches of one log. */
export interface TailChunk {
  readonly bytes: Buffer;
  /** Takes the chunk out of its log's cache. */
  readonly evict: () => void;
}

/**
 * The memory that the tail caches of all logs share: once it is used up, the oldest chunk of any
 * log goes. Slices of a chunk that are still on their way to a socket keep it alive beyond that.
 */
export class TailMemory {
  readonly maxBytes: number;
  /** Oldest first. */
  readonly #chunks = new Set<TailChunk>();
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
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
    if (this.#chunks.delete(chunk)) this.#usedBytes -= chunk.bytes.length;
  }
}
