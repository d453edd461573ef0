import type { System } from '../../system/index.js';
import type { RecordProducer } from '../producer.js';

/** After this time without any progress it is said that a source waits, and for what. */
const sayAfterMs = 10_000;

/** Says as a problem that nothing of a source is taken, and when that is over. */
export class Blockage {
  #sinceMs: number | undefined;

  constructor(
    private readonly system: System,
    private readonly producer: RecordProducer,
    private readonly source: string,
    private readonly topic: string,
  ) {}

  /** Something was acknowledged. */
  progressed(): void {
    if (this.#sinceMs === undefined) return;
    this.#sinceMs = undefined;
    this.system.problems.clear(this.#id);
  }

  /** Call it now and then with whether anything waits to be taken or acknowledged. */
  check(isWaiting: boolean): void {
    if (!isWaiting) {
      this.progressed();
      return;
    }
    const nowMs = this.system.clock.monotonic();
    this.#sinceMs ??= nowMs;
    if (nowMs - this.#sinceMs < sayAfterMs) return;
    const why = this.producer.trouble(this.topic)?.message ?? 'no broker answers';
    const text = `nothing of source ${this.source} is taken by topic ${this.topic}; trying again`;
    this.system.problems.raise(this.#id, `${text}: ${why}`);
  }

  /** The source ends. */
  close(): void {
    this.progressed();
  }

  get #id(): string {
    return `source ${this.source}`;
  }
}
