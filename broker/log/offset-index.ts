import type { Disk } from '../../system/index.js';
import { EntryFile, lastNotAbove } from './entry-file.js';
import { OFFSET_ENTRY_BYTES } from './format.js';

/** Sparse map from offsets to positions in a segment: Kafka's `.index`. */
export class OffsetIndex {
  readonly file: EntryFile;
  readonly #baseOffset: number;

  constructor(disk: Disk, path: string, baseOffset: number) {
    this.file = new EntryFile(disk, path, OFFSET_ENTRY_BYTES);
    this.#baseOffset = baseOffset;
  }

  /** Notes that the batch at `position` ends with `lastOffset`. Both must grow. */
  append(lastOffset: number, position: number): void {
    const at = this.file.extend();
    this.file.bytes.writeInt32BE(lastOffset - this.#baseOffset, at);
    this.file.bytes.writeInt32BE(position, at + 4);
  }

  /** The entry with the greatest last offset that is not above `offset`. */
  lookup(offset: number): { lastOffset: number; position: number } | undefined {
    const relative = offset - this.#baseOffset;
    const { bytes, count } = this.file;
    const entry = lastNotAbove(
      count,
      (index) => bytes.readInt32BE(index * OFFSET_ENTRY_BYTES) > relative,
    );
    return entry < 0 ? undefined : this.entry(entry);
  }

  entry(index: number): { lastOffset: number; position: number } {
    const at = index * OFFSET_ENTRY_BYTES;
    const { bytes } = this.file;
    return {
      lastOffset: this.#baseOffset + bytes.readInt32BE(at),
      position: bytes.readInt32BE(at + 4),
    };
  }

  /** Drops the entries of batches that end at or after `offset`. */
  truncate(offset: number): void {
    const relative = offset - this.#baseOffset - 1;
    const { bytes, count } = this.file;
    const kept = lastNotAbove(
      count,
      (index) => bytes.readInt32BE(index * OFFSET_ENTRY_BYTES) > relative,
    );
    this.file.truncate(kept + 1);
  }

  /** Whether the entries grow and lie within a segment of `sizeBytes`. */
  isSane(sizeBytes: number): boolean {
    const { bytes, count } = this.file;
    let lastOffset = -1;
    let lastPosition = 0;
    for (let at = 0; at < count * OFFSET_ENTRY_BYTES; at += OFFSET_ENTRY_BYTES) {
      const offset = bytes.readInt32BE(at);
      const position = bytes.readInt32BE(at + 4);
      if (offset <= lastOffset || position <= lastPosition || position >= sizeBytes) return false;
      lastOffset = offset;
      lastPosition = position;
    }
    return true;
  }
}
