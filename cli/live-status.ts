import type { Timer } from '../system/index.js';
import type { Context } from './context.js';

const ON_A_TERMINAL_MS = 500;
const PLAIN_LINES_MS = 5_000;

/** Shows how things stand: one changing line on a terminal, a plain line now and then elsewhere. */
export class LiveStatus {
  readonly #context: Context;
  /** Asks for fresh counts, and makes a line of those that have arrived. */
  readonly #line: () => string;
  #timer: Timer | undefined;

  constructor(context: Context, line: () => string) {
    this.#context = context;
    this.#line = line;
  }

  start(): void {
    const { system, terminal } = this.#context;
    const everyMs = terminal.interactive ? ON_A_TERMINAL_MS : PLAIN_LINES_MS;
    this.#timer = system.clock.after(everyMs, () => {
      const line = this.#line();
      if (terminal.interactive) terminal.status(line);
      else terminal.say(line);
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
