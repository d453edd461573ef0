import type { BatchFailure } from '../../producer.js';
import { isOwnFault, reasonOf, refusedRecord, type UnsentRecord } from '../../refusal.js';
import type { Alarm } from '../alarm.js';
import type { Blockage } from '../blockage.js';
import type { SourceContext } from '../source.js';
import type { SourceCounts } from '../source-counts.js';
import type { Run } from './acknowledgements.js';
import type { Generation } from './generation.js';
import type { OpenFiles } from './open-files.js';

/** After a failure nothing is sent for a while, longer each time. */
const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

/** What became of the lines that were sent: acknowledged, set aside, or to be read again. */
export class Outcomes {
  /** Generations to read again. */
  readonly #failed = new Set<Generation>();
  #retryAtMs = 0;
  #retryDelayMs = firstRetryMs;

  constructor(
    private readonly context: SourceContext,
    private readonly topic: string,
    private readonly counts: SourceCounts,
    private readonly blockage: Blockage,
    private readonly alarm: Alarm,
  ) {}

  /** Nothing is sent before (monotonic). */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** Refused records wait in memory to be kept: more may be refused of what is read now. */
  get isSettingAside(): boolean {
    return this.context.failedRecords.pending > 0;
  }

  /** Whether a generation, or any, has to be read again. */
  mustRewind(generation?: Generation): boolean {
    return generation === undefined ? this.#failed.size > 0 : this.#failed.has(generation);
  }

  acknowledged(records: number): void {
    this.counts.acknowledged(records);
    if (records > 0) {
      this.#retryDelayMs = firstRetryMs;
      this.blockage.progressed();
    }
    this.context.chain.delivered(records, true);
    this.context.positions.changed();
  }

  /** The producer took a record in vain, for a reason that is not its own. */
  pause(): void {
    this.#retryAtMs = this.#nowMs + firstRetryMs;
  }

  failed(generation: Generation, error: Error, records: number): void {
    this.context.chain.delivered(records, false);
    this.context.log.error(
      `${records} lines of ${generation.path} could not be sent; reading them again in ` +
        `${this.#retryDelayMs / 1000} s`,
      { error },
    );
    this.#failed.add(generation);
    this.#retryAtMs = this.#nowMs + this.#retryDelayMs;
    this.#retryDelayMs = Math.min(lastRetryMs, this.#retryDelayMs * 2);
  }

  /** What failed is read again from where it was acknowledged. */
  async rewind(files: OpenFiles): Promise<void> {
    for (const generation of this.#failed) {
      this.#failed.delete(generation);
      await files.rewind(generation);
    }
  }

  /** See AcknowledgementEvents. */
  refused(
    generation: Generation,
    failures: readonly BatchFailure[],
    { start, end }: Run,
  ): Promise<void> | undefined {
    const records = failures.map(refusedRecord);
    const isOwn = records.every((record) => record !== undefined && isOwnFault(record.error));
    if (!isOwn) return undefined;
    const kept = records.map(
      (record) => record && this.setAside(generation, record, record.error, start, end),
    );
    return Promise.all(kept).then(() => {});
  }

  /** Resolves when the record, of the content from `start` to `end`, is kept elsewhere. */
  async setAside(
    generation: Generation | undefined,
    { key, value, headers, timestamp }: UnsentRecord,
    error: Error,
    start: number,
    end: number,
  ): Promise<void> {
    const { name: source, failedRecords } = this.context;
    const file = generation?.path ?? '';
    const where = { source, topic: this.topic, reason: reasonOf(error), file, start, end };
    await failedRecords.keep({ key, value, headers, timestamp, ...where });
    this.counts.setAside();
    this.alarm.ring();
  }

  get #nowMs(): number {
    return this.context.system.clock.monotonic();
  }
}
