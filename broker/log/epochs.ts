import type { EpochStart } from './checkpoint.js';

/** Answer to "where does this epoch end?" (KIP-101, KIP-279). */
export interface EpochEnd {
  /** The largest known epoch that is not above the one asked for; -1 where it is unknown. */
  readonly epoch: number;
  /** Start of the next epoch, or the end of the log; -1 where it is unknown. */
  readonly endOffset: number;
}

const UNKNOWN: EpochEnd = { epoch: -1, endOffset: -1 };

/** Which leader epoch began at which offset. Pure state; the log saves it. */
export class LeaderEpochs {
  /** Epochs and offsets both grow. */
  #entries: EpochStart[] = [];
  /** Whether it changed since `markSaved`. */
  dirty = false;

  get entries(): readonly EpochStart[] {
    return this.#entries;
  }

  /** The epoch of the newest records, -1 where there is none. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1;
  }

  /** Takes over what the file says; entries that do not grow are left out. */
  restore(entries: readonly EpochStart[]): void {
    this.#entries = [];
    for (const { epoch, startOffset } of entries) this.assign(epoch, startOffset);
    this.dirty = false;
  }

  /** Records of `epoch` begin at `startOffset`, where it is a new epoch. */
  assign(epoch: number, startOffset: number): void {
    if (epoch < 0 || epoch <= this.latest) return;
    while ((this.#entries.at(-1)?.startOffset ?? -1) >= startOffset) this.#entries.pop();
    this.#entries.push({ epoch, startOffset });
    this.dirty = true;
  }

  /** Forgets epochs that begin at or after `endOffset`: the log was cut there. */
  truncateFromEnd(endOffset: number): void {
    const kept = this.#entries.filter(({ startOffset }) => startOffset < endOffset);
    if (kept.length < this.#entries.length) this.#replace(kept);
  }

  /** Forgets epochs that end before `startOffset`; the one that holds it begins there now. */
  truncateFromStart(startOffset: number): void {
    const next = this.#entries.findIndex((entry) => entry.startOffset > startOffset);
    const holder = (next < 0 ? this.#entries.length : next) - 1;
    const first = this.#entries[holder];
    if (first === undefined || (holder === 0 && first.startOffset === startOffset)) return;
    this.#replace([{ epoch: first.epoch, startOffset }, ...this.#entries.slice(holder + 1)]);
  }

  /** Where `epoch` ends in a log that ends at `logEndOffset`. */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEnd {
    if (epoch < 0 || epoch > this.latest) return UNKNOWN;
    if (epoch === this.latest) return { epoch, endOffset: logEndOffset };
    const next = this.#entries.findIndex((entry) => entry.epoch > epoch);
    const endOffset = this.#entries[next]?.startOffset ?? logEndOffset;
    return { epoch: this.#entries[next - 1]?.epoch ?? epoch, endOffset };
  }

  /** The epoch of the record at `offset`, -1 where it is unknown. */
  epochAt(offset: number): number {
    const next = this.#entries.findIndex((entry) => entry.startOffset > offset);
    return this.#entries[(next < 0 ? this.#entries.length : next) - 1]?.epoch ?? -1;
  }

  #replace(entries: EpochStart[]): void {
    this.#entries = entries;
    this.dirty = true;
  }
}
