import { type Clock, WallSteps } from '../../../system/index.js';

/**
 * Time for durations: milliseconds since the epoch as they were at the start, and even from then
 * on, whoever sets the wall clock.
 */
export class SteadyTime {
  readonly #startMs: number;
  readonly #steps: WallSteps;

  constructor(private readonly clock: Clock) {
    this.#startMs = clock.now() - clock.monotonic();
    this.#steps = new WallSteps(clock);
  }

  get nowMs(): number {
    return this.#startMs + this.clock.monotonic();
  }

  /**
   * How long ago a file was changed by the wall clock's word; of what was before somebody set
   * that, it knows nothing.
   */
  ageMs(modifiedMs: number): number {
    const { clock } = this;
    const trustedMs = clock.monotonic() - this.#steps.lastMs;
    return Math.min(trustedMs, Math.max(0, clock.now() - modifiedMs));
  }
}
