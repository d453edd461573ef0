import type { Context } from './context.js';

const ON_A_TERMINAL_MS = 200;
const PLAIN_LINES_MS = 5_000;

/**
 * Says how far long work has come, on stderr: a changing line on a terminal, elsewhere a plain one
 * every five seconds. Asked from within the work, which may never let the event loop turn.
 */
export class Progress {
  readonly #context: Context;
  readonly #everyMs: number;
  #nextMs: number;

  constructor(context: Context) {
    this.#context = context;
    this.#everyMs = context.terminal.interactive ? ON_A_TERMINAL_MS : PLAIN_LINES_MS;
    this.#nextMs = context.system.clock.monotonic() + this.#everyMs;
  }

  /** Shows `line()` where it is time to. */
  show(line: () => string): void {
    const { system, terminal } = this.#context;
    const now = system.clock.monotonic();
    if (now < this.#nextMs) return;
    this.#nextMs = now + this.#everyMs;
    if (terminal.interactive) terminal.status(line());
    else terminal.say(line());
  }
}

/** Bytes for people: `12.3 MiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
