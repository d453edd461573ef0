/** The memory of one answer, shared by the batches in it; it goes back with the last of them. */
export class FrameLease {
  #holders = 0;
  #lent = true;
  readonly #giveBack: () => void;

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack;
  }

  /** One more batch uses the memory. */
  take(): this {
    this.#holders++;
    return this;
  }

  /** A holder is done with it. */
  give(): void {
    this.#holders--;
    if (this.#holders > 0 || !this.#lent) return;
    this.#lent = false;
    this.#giveBack();
  }
}
