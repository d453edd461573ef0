import type { SeededRandom } from './random.js';

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly size: number };

const sectorBytes = 512;

/** A growing byte array. */
class Bytes {
  #buffer = Buffer.alloc(0);
  size = 0;

  get view(): Buffer {
    return this.#buffer.subarray(0, this.size);
  }

  apply(change: Change): void {
    if (change.kind === 'truncate') this.resize(change.size);
    else {
      const end = change.position + change.bytes.length;
      if (end > this.size) this.resize(end);
      change.bytes.copy(this.#buffer, change.position);
    }
  }

  resize(size: number): void {
    if (size > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(size, 2 * this.#buffer.length));
      this.#buffer.copy(grown, 0, 0, this.size);
      this.#buffer = grown;
    }
    if (size < this.size) this.#buffer.fill(0, size, this.size);
    this.size = size;
  }
}

/** A file's bytes: as the page cache has them, and as the platters have them. */
export class FileContent {
  #cached = new Bytes();
  readonly #durable = new Bytes();
  /** Applied to the cache and not yet durable, in order. */
  #pending: Change[] = [];

  get size(): number {
    return this.#cached.size;
  }

  /** Valid until the next change. */
  get view(): Buffer {
    return this.#cached.view;
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    this.#apply({ kind: 'write', position, bytes: Buffer.from(bytes) });
  }

  truncate(size: number): void {
    this.#apply({ kind: 'truncate', size });
  }

  #apply(change: Change): void {
    this.#cached.apply(change);
    this.#pending.push(change);
  }

  sync(): void {
    for (const change of this.#pending) this.#durable.apply(change);
    this.#pending = [];
  }

  /** As Linux does after an I/O error: the pages stay readable, but nobody writes them again. */
  failSync(): void {
    this.#pending = [];
  }

  /** Of what was not synced some survives, torn anywhere. */
  losePower(random: SeededRandom): void {
    const fate = random.below(4);
    if (fate === 1) this.sync();
    else if (fate === 2) this.#keepPrefix(random);
    else if (fate === 3) this.#keepSectors(random);
    this.#pending = [];
    this.#cached = new Bytes();
    this.#cached.apply({ kind: 'write', position: 0, bytes: this.#durable.view });
  }

  #keepPrefix(random: SeededRandom): void {
    const count = random.below(this.#pending.length + 1);
    for (const change of this.#pending.slice(0, count)) this.#durable.apply(change);
    const torn = this.#pending[count];
    if (torn?.kind !== 'write') return;
    const length = random.below(torn.bytes.length);
    this.#durable.apply({ ...torn, bytes: torn.bytes.subarray(0, length) });
  }

  /** The size arrived; of the sectors some did, others hold what was there before, or zeros. */
  #keepSectors(random: SeededRandom): void {
    const cached = this.#cached.view;
    this.#durable.resize(cached.length);
    for (let start = 0; start < cached.length; start += sectorBytes) {
      const bytes = cached.subarray(start, start + sectorBytes);
      const same = bytes.equals(this.#durable.view.subarray(start, start + sectorBytes));
      if (same || random.chance(0.5)) continue;
      this.#durable.apply({ kind: 'write', position: start, bytes });
    }
  }
}
