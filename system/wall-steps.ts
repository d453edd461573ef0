import type { Clock } from './clock.js';

/** The two clocks drift apart by less than that in an hour. */
const STEP_MS = 1_000;

/**
 * Notices that somebody has set the wall clock. What a file's time of change says of its age is
 * believed only where that did not happen since.
 */
export class WallSteps {
  readonly #clock: Clock;
  #offsetMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.now() - clock.monotonic();
  }

  /** When the wall clock was last seen to be another: monotonic; -Infinity where never. */
  get lastMs(): number {
    const nowMs = this.#clock.monotonic();
    const offsetMs = this.#clock.now() - nowMs;
    if (Math.abs(offsetMs - this.#offsetMs) > STEP_MS) this.#lastMs = nowMs;
    this.#offsetMs = offsetMs;
    return this.#lastMs;
  }
}
