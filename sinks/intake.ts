import type { FetchedRecords, OffsetRange, PartitionFeed } from './feed.js';

/**
 * What was fetched of a partition and is not used yet. It knows where that begins and ends, so
 * that nothing fetched before a seek, or behind a hole, is ever taken for the next records.
 */
export class Intake {
  readonly #feed: PartitionFeed;
  /** The first may have been used in part. */
  #held: FetchedRecords[] = [];
  /** The offset at which the held records begin, and the one with which the topic goes on. */
  #from = -1;
  #to = -1;
  #reads = 0;

  constructor(feed: PartitionFeed) {
    this.#feed = feed;
  }

  /** The next records to use. */
  get head(): FetchedRecords | undefined {
    return this.#held[0];
  }

  /** Whether nothing is wanted: a read must come first. */
  get isForgotten(): boolean {
    return this.#to === -1;
  }

  /** False where the records do not follow what was read: then the topic is to be read again. */
  offer(records: FetchedRecords): boolean {
    // Nothing is wanted: what comes was asked for before.
    const isWanted = this.#to !== -1;
    if (!isWanted || records.fetchOffset > this.#to || records.nextOffset <= this.#to) {
      records.release();
      return !isWanted;
    }
    this.#held.push(records);
    this.#to = records.nextOffset;
    return true;
  }

  /** The head was used up to `position`; wholly, where `isAll`: then its memory is given back. */
  use(position: number, isAll: boolean): void {
    this.#from = position;
    if (isAll) this.#held.shift()?.release();
  }

  /** Nothing that was fetched is wanted any more. */
  forget(): void {
    for (const records of this.#held) records.release();
    this.#held = [];
    this.#from = -1;
    this.#to = -1;
  }

  /**
   * Reads on from `from`: from what is held where that begins there, else with a seek. Answers with
   * the topic's range where it does not have the offset, and with `superseded` where another read
   * began meanwhile.
   */
  async read(from: number): Promise<'reading' | 'superseded' | OffsetRange> {
    this.#reads += 1;
    const read = this.#reads;
    const fits = this.#held.length > 0 ? this.#from === from : this.#to === from;
    if (!fits) {
      this.forget();
      const range = await this.#feed.range();
      if (read !== this.#reads) return 'superseded';
      if (from < range.start || from > range.end) return range;
      this.#from = from;
      this.#to = from;
      this.#feed.seek(from);
    }
    this.#feed.resume();
    return 'reading';
  }

  /** Nothing more is wanted for now. */
  pause(): void {
    this.#reads += 1;
    this.#feed.pause();
  }
}
