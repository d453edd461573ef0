import type { System } from '../../../system/index.js';
import type { SourceStatus } from '../source.js';
import { SourceCounts } from '../source-counts.js';

/** How a file source stands. */
export interface FileStatus extends SourceStatus {
  /** Files at hand. */
  readonly files: number;
  /** Lines that came into a file after its successor was begun. */
  readonly lateLines: number;
  /** Records that are no whole lines. */
  readonly partials: number;
}

/** Counts what only files have, beside what every source does. */
export class FileCounts extends SourceCounts {
  readonly #partials;
  readonly #lateLines;

  constructor(system: System, source: string) {
    super(system, source);
    this.#partials = this.counter('partial_records', 'Records that are no whole lines');
    this.#lateLines = this.counter(
      'late_records',
      'Records from a file whose successor was begun already',
    );
  }

  /** So many of the records that were sent are no whole lines. */
  partial(records: number): void {
    if (records > 0) this.#partials.inc(records);
  }

  /** Records came from a file whose successor was begun already. */
  late(records: number): void {
    this.#lateLines.inc(records);
  }

  override read(): Omit<FileStatus, 'type' | 'files' | 'lagBytes'> {
    return { ...super.read(), partials: this.#partials.value, lateLines: this.#lateLines.value };
  }
}
