import type { Clock } from './clock.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';

/** Something that is wrong now and stays so until it is mended. */
export interface Problem {
  /** What it concerns, stable while it lasts, such as `partition app-logs-0`. */
  readonly id: string;
  /** A sentence that tells a person what is wrong and what to do. */
  readonly text: string;
  /** Since when, milliseconds since the epoch. */
  readonly since: number;
}

/**
 * What is wrong with a process right now: said in its log once when it begins and once when it is
 * over, listed by `/health` (state `degraded`) and `status`, counted by `logflume_problems`.
 * For what lasts; an event that is over at once belongs into the log.
 */
export class Problems {
  readonly #standing = new Map<string, Problem>();
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(clock: Clock, log: Log, metrics: Metrics) {
    this.#clock = clock;
    this.#log = log;
    const help = 'What is wrong now and stays so until it is mended.';
    metrics.gauge('logflume_problems', help, {}, () => this.#standing.size);
  }

  /**
   * Says that something is wrong. While `id` stands, a repeat with the same text says nothing.
   * `fields` go to the log only.
   */
  raise(id: string, text: string, fields?: Readonly<Record<string, unknown>>): void {
    const known = this.#standing.get(id);
    if (known?.text === text) return;
    this.#standing.set(id, { id, text, since: known?.since ?? this.#clock.now() });
    this.#log.error(text, { problem: id, ...fields });
  }

  /** Says that it is mended; nothing where it does not stand. */
  clear(id: string): void {
    const known = this.#standing.get(id);
    if (known === undefined) return;
    this.#standing.delete(id);
    const lastedMs = Math.max(0, this.#clock.now() - known.since);
    this.#log.info(`over: ${known.text}`, { problem: id, lastedMs });
  }

  /** All that stand, the oldest first. */
  list(): readonly Problem[] {
    return [...this.#standing.values()];
  }
}
