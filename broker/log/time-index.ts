import type { Disk } from '../../system/index.js';
import { EntryFile, lastNotAbove } from './entry-file.js';
import { readInt64, TIME_ENTRY_BYTES, writeInt64 } from './format.js';

/** One entry: the largest timestamp up to and including the batch that ends with `offset`. */
export interface TimeEntry {
  readonly timestamp: number;
  readonly offset: number;
}

/** Sparse map from timestamps to offsets in a segment: Kafka's `.timeindex`. */
export class TimeIndex {
  readonly file: EntryFile;
  readonly #baseOffset: number;

  constructor(disk: Disk, path: string, baseOffset: number) {
    this.file = new EntryFile(disk, path, TIME_ENTRY_BYTES);
    this.#baseOffset = baseOffset;
  }

  /** Notes the largest timestamp so far; does nothing where it is not larger than the last. */
  append(timestamp: number, offset: number): void {
    const last = this.last();
    if (timestamp < 0 || (last !== undefined && timestamp <= last.timestamp)) return;
    const at = this.file.extend();
    writeInt64(this.file.bytes, timestamp, at);
    this.file.bytes.writeInt32BE(offset - this.#baseOffset, at + 8);
  }

  last(): TimeEntry | undefined {
    return this.file.count === 0 ? undefined : this.#entry(this.file.count - 1);
  }

  /**
   * Where to begin looking for the first record at or after `timestamp`: every batch that ends
   * before the offset returned is older.
   */
  lookup(timestamp: number): number {
    const { bytes, count } = this.file;
    const entry = lastNotAbove(
      count,
      (index) => readInt64(bytes, index * TIME_ENTRY_BYTES) > timestamp,
    );
    return entry < 0 ? this.#baseOffset : this.#entry(entry).offset;
  }

  /** Drops the entries of batches that end at or after `offset`. */
  truncate(offset: number): void {
    const relative = offset - this.#baseOffset - 1;
    const { bytes, count } = this.file;
    const kept = lastNotAbove(
      count,
      (index) => bytes.readInt32BE(index * TIME_ENTRY_BYTES + 8) > relative,
    );
    this.file.truncate(kept + 1);
  }

  /** Whether the entries grow and lie before `nextOffset`. */
  isSane(nextOffset: number): boolean {
    let previous: TimeEntry = { timestamp: -1, offset: this.#baseOffset - 1 };
    for (let index = 0; index < this.file.count; index++) {
      const entry = this.#entry(index);
      if (entry.timestamp <= previous.timestamp || entry.offset <= previous.offset) return false;
      if (entry.offset >= nextOffset) return false;
      previous = entry;
    }
    return true;
  }

  #entry(index: number): TimeEntry {
    const at = index * TIME_ENTRY_BYTES;
    const { bytes } = this.file;
    return {
      timestamp: readInt64(bytes, at),
      offset: this.#baseOffset + bytes.readInt32BE(at + 8),
    };
  }
}
