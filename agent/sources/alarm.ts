import { type Clock, detach, type Timer } from '../../system/index.js';

/** Lets a loop sleep until something happens. */
export class Alarm {
  #wake: (() => void) | undefined;
  #timer: Timer | undefined;
  #isRinging = false;

  constructor(private readonly clock: Clock) {}

  /** Ends the present wait, or else the next one. */
  ring(): void {
    this.#isRinging = true;
    this.#wake?.();
  }

  /** Resolves after `durationMs`, or when it rings. */
  wait(durationMs: number): Promise<void> {
    return this.#sleep((wake) => {
      this.#timer = this.clock.after(durationMs, wake);
    });
  }

  /** Resolves in the event loop's next turn. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.clock.nextTurn(resolve));
  }

  /** Resolves when `work` settles, or when it rings. */
  orRing(work: Promise<unknown>): Promise<void> {
    return this.#sleep((wake) => {
      detach(work.then(wake), wake);
    });
  }

  #sleep(arrange: (wake: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        if (this.#wake !== wake) return;
        this.#wake = undefined;
        this.#isRinging = false;
        this.#timer?.cancel();
        resolve();
      };
      this.#wake = wake;
      if (this.#isRinging) wake();
      else arrange(wake);
    });
  }
}
