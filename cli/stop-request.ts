import type { System } from '../system/index.js';

/** Signals that come within this time of the first are the same wish (npm and the terminal). */
const SAME_WISH_MS = 1_000;

/**
 * Listens for SIGTERM and Ctrl-C: the first asks for a drain, a later one means now.
 */
export class StopRequest {
  /** Resolves with the first request. */
  readonly requested: Promise<void>;
  readonly #request: () => void;
  readonly #ignoreSignals: () => void;

  /** `onSecond` is called for a signal that comes more than a second after the first. */
  constructor({ clock, processes }: Pick<System, 'clock' | 'processes'>, onSecond: () => void) {
    let resolve = () => {};
    this.requested = new Promise((done) => {
      resolve = done;
    });
    this.#request = resolve;
    let firstMs: number | undefined;
    this.#ignoreSignals = processes.onSignal(() => {
      firstMs ??= clock.monotonic();
      if (clock.monotonic() - firstMs > SAME_WISH_MS) onSecond();
      resolve();
    });
  }

  /** Asks for the drain without a signal. */
  request(): void {
    this.#request();
  }

  close(): void {
    this.#ignoreSignals();
  }
}
