import type { System } from '../../system/index.js';
import type { SourceStatus } from './source.js';

/** Counts what one source does, for its status and as metrics. */
export class SourceCounts {
  readonly #counters;

  constructor(system: System, source: string) {
    const counter = (name: string, help: string) =>
      system.metrics.counter(`logflume_agent_${name}_total`, help, { source });
    this.#counters = {
      records: counter('records', 'Records handed to the producer, repeats included'),
      bytes: counter('bytes', 'Bytes of their values'),
      acknowledged: counter('acknowledged_records', 'Records acknowledged by the broker'),
      partials: counter('partial_records', 'Records that are no whole lines'),
      lateLines: counter('late_records', 'Records from a file whose successor was begun already'),
      failed: counter('failed_mails', 'Mails moved to failed/'),
      failedRecords: counter('failed_records', 'Records refused for themselves and set aside'),
    };
  }

  /** Records were handed to the producer. */
  sent(records: number, bytes: number, partials: number): void {
    if (records > 0) this.#counters.records.inc(records);
    if (bytes > 0) this.#counters.bytes.inc(bytes);
    if (partials > 0) this.#counters.partials.inc(partials);
  }

  acknowledged(records: number): void {
    if (records > 0) this.#counters.acknowledged.inc(records);
  }

  late(records: number): void {
    this.#counters.lateLines.inc(records);
  }

  failed(): void {
    this.#counters.failed.inc();
  }

  /** A record was refused for itself and is kept elsewhere. */
  setAside(): void {
    this.#counters.failedRecords.inc();
  }

  /** The counts since the start. */
  read(): Omit<SourceStatus, 'type' | 'files' | 'lagBytes'> {
    const { records, bytes, acknowledged, partials, lateLines, failed, failedRecords } =
      this.#counters;
    return {
      records: records.value,
      bytes: bytes.value,
      acknowledged: acknowledged.value,
      partials: partials.value,
      lateLines: lateLines.value,
      failed: failed.value,
      failedRecords: failedRecords.value,
    };
  }
}
