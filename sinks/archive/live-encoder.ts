import type { RecordView } from '../record-view.js';
import type { ContentSettings, SpoolLevel } from './claims/index.js';
import type { EncodedFile, Encoder } from './encoder.js';

/** Files that a sink builds while it reads, over all of its partitions. */
export class LiveFiles {
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  give(count: number): void {
    this.#free += count;
  }
}

/**
 * Builds the files of the next cut while its records are being spooled, which spares reading the
 * spool again. Nothing depends on it: what it cannot finish is encoded from the spool.
 */
export class LiveEncoder {
  /** undefined once it was given up. */
  #encoder: Encoder | undefined;
  readonly #settings: ContentSettings;
  readonly #files: LiveFiles;
  #filesTaken = 0;
  #records = 0;

  /** For an open encoder that has taken nothing yet. */
  constructor(encoder: Encoder, settings: ContentSettings, files: LiveFiles) {
    this.#encoder = encoder;
    this.#settings = settings;
    this.#files = files;
  }

  /** Takes the next record that is spooled. */
  take(record: RecordView): void {
    const encoder = this.#encoder;
    if (encoder === undefined) return;
    try {
      encoder.take(record);
    } catch {
      // Encoding from the spool will meet the cause again, and tell.
      this.giveUp();
      return;
    }
    this.#records += 1;
    while (this.#filesTaken < encoder.fileCount) {
      // More files at once would need memory without a bound.
      if (!this.#files.tryTake()) {
        this.giveUp();
        return;
      }
      this.#filesTaken += 1;
    }
  }

  /**
   * The files up to `end` where they hold just what the spool holds; undefined where they do not,
   * or were meant to be others. Either way nothing more can be taken.
   */
  async finish(
    spool: SpoolLevel,
    end: number,
    settings: ContentSettings,
  ): Promise<EncodedFile[] | undefined> {
    const { format, filePer, compression } = this.#settings;
    // A write to the spool that failed is repeated, and its records would stand here twice.
    const isWhole = this.#records === spool.records && spool.position === end + 1;
    const isAsked =
      settings.format === format &&
      settings.filePer === filePer &&
      settings.compression === compression;
    try {
      return isWhole && isAsked ? await this.#encoder?.finish(end) : undefined;
    } finally {
      this.giveUp();
    }
  }

  /** Takes no more records, and lets go of its files. */
  giveUp(): void {
    this.#encoder?.abandon();
    this.#encoder = undefined;
    this.#files.give(this.#filesTaken);
    this.#filesTaken = 0;
  }
}
