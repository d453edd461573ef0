/** A pending callback that can be called off. */
export interface Timer {
  /** Calls the callback off; harmless once it has run. */
  cancel(): void;
}

/** Time and the event loop's turns, so that tests can run on virtual time. */
export interface Clock {
  /** Wall-clock time, milliseconds since the epoch. May jump. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back. For durations and deadlines. */
  monotonic(): number;
  /**
   * Runs `callback` once, after `delayMs`. A pending timer keeps the process alive (an agent that
   * waits to reconnect has nothing else): whoever stops cancels what it started.
   */
  after(delayMs: number, callback: () => void): Timer;
  /** Runs `callback` in the next turn of the event loop, after pending I/O. */
  nextTurn(callback: () => void): void;
  /** Resolves after `delayMs`, or as soon as `signal` aborts (it never rejects). */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}
