/** Thrown out of a call of a simulated process that has been killed: it must do nothing more. */
export class SimCrash extends Error {
  readonly code = 'SIM_CRASH';
  constructor(processName: string, what: string) {
    super(`the simulated process ${processName} is dead: ${what}`);
    this.name = 'SimCrash';
  }
}

/**
 * Whether a simulated process lives, and how many effects it has had. An effect is a call that
 * changes something outside the process (disk, net, HTTP).
 */
export class Life {
  #alive = true;
  #steps = 0;
  #crashStep = Number.POSITIVE_INFINITY;
  #torn = false;
  readonly #endings = new Set<() => void>();
  /** Resolves once the process is dead. */
  readonly ended: Promise<void>;

  constructor(readonly name: string) {
    this.ended = new Promise((resolve) => this.onEnd(resolve));
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Effects so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Dies instead of having its `step`-th effect (from 1); `torn`: half-way through it. */
  crashAt(step: number, torn: boolean): void {
    this.#crashStep = step;
    this.#torn = torn;
  }

  /** Calls back at its death; returns a function that stops that. */
  onEnd(callback: () => void): () => void {
    this.#endings.add(callback);
    return () => this.#endings.delete(callback);
  }

  end(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const ending of this.#endings) ending();
  }

  /** Before each call that only reads. */
  check(what: string): void {
    if (!this.#alive) throw new SimCrash(this.name, what);
  }

  /** Before each effect; `tear` does a part of it. */
  effect(what: string, tear?: () => void): void {
    this.check(what);
    this.#steps++;
    if (this.#steps !== this.#crashStep) return;
    if (this.#torn) tear?.();
    this.end();
    throw new SimCrash(this.name, `crashed at step ${this.#steps}, ${what}`);
  }
}
