import type { Counter, System } from '../../system/index.js';
import type { SourceStatus } from './source.js';

/** Counts what every source does, for its status and as metrics. */
export class SourceCounts {
  readonly #records: Counter;
  readonly #bytes: Counter;
  readonly #acknowledged: Counter;
  readonly #failedRecords: Counter;

  constructor(
    private readonly system: System,
    private readonly source: string,
  ) {
    this.#records = this.counter('records', 'Records handed to the producer, repeats included');
    this.#bytes = this.counter('bytes', 'Bytes of their values');
    this.#acknowledged = this.counter('acknowledged_records', 'Records acknowledged by the broker');
    this.#failedRecords = this.counter(
      'failed_records',
      'Records refused for themselves and set aside',
    );
  }

  /** One more counter, which only this type of source has: `logflume_agent_<name>_total`. */
  counter(name: string, help: string): Counter {
    const { system, source } = this;
    return system.metrics.counter(`logflume_agent_${name}_total`, help, { source });
  }

  /** A gauge of this source: `logflume_agent_<name>`. */
  gauge(name: string, help: string, read: () => number): void {
    const { system, source } = this;
    system.metrics.gauge(`logflume_agent_${name}`, help, { source }, read);
  }

  /** Records were handed to the producer. */
  sent(records: number, bytes: number): void {
    if (records > 0) this.#records.inc(records);
    if (bytes > 0) this.#bytes.inc(bytes);
  }

  acknowledged(records: number): void {
    if (records > 0) this.#acknowledged.inc(records);
  }

  /** A record was refused for itself and is kept elsewhere. */
  setAside(): void {
    this.#failedRecords.inc();
  }

  /** The counts since the start. */
  read(): Omit<SourceStatus, 'type' | 'lagBytes'> {
    return {
      records: this.#records.value,
      bytes: this.#bytes.value,
      acknowledged: this.#acknowledged.value,
      failedRecords: this.#failedRecords.value,
    };
  }
}
