/** What one machine takes for the time of day. */
export class WallClock {
  /** How far it is from that of the machines that nobody has set apart. */
  #offsetMs = 0;

  constructor(private readonly scheduler: { readonly wallClock: number }) {}

  /** Milliseconds since the epoch. */
  now(): number {
    return this.scheduler.wallClock + this.#offsetMs;
  }

  /** Somebody sets it, forth or back; virtual time and every timer go on. */
  step(byMs: number): void {
    this.#offsetMs += byMs;
  }
}
