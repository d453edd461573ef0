/**
 * Bytes that all clients of a broker may occupy together. What is granted may exceed the limit by
 * the one grant that crosses it, as in Kafka's memory pool: else a request larger than the limit
 * would wait for ever.
 */
export class ByteBudget {
  private used = 0;
  /** Who waits for room, the first come first. */
  private readonly waiting = new Map<object, () => void>();

  /** @param limitBytes Infinity for no limit */
  constructor(private readonly limitBytes: number) {}

  get usedBytes(): number {
    return this.used;
  }

  /** Bytes that are free; 0 where more is used than there should be. */
  get freeBytes(): number {
    return Math.max(0, this.limitBytes - this.used);
  }

  /** Counts bytes that are there whether or not there is room. */
  take(bytes: number): void {
    this.used += bytes;
  }

  /** Takes bytes back, and lets those go on for whom there is room now. */
  give(bytes: number): void {
    this.used -= bytes;
    if (this.waiting.size === 0) return;
    for (const [who, granted] of this.waiting) {
      if (this.freeBytes === 0) return;
      this.waiting.delete(who);
      granted();
    }
  }

  /**
   * Takes `bytes` as soon as any room is left and nobody waits before; calls `granted` then, which
   * may be before this returns.
   */
  request(who: object, bytes: number, granted: () => void): void {
    const grant = () => {
      this.used += bytes;
      granted();
    };
    if (this.freeBytes > 0 && this.waiting.size === 0) grant();
    else this.waiting.set(who, grant);
  }

  /** `who` waits no longer. */
  cancel(who: object): void {
    this.waiting.delete(who);
  }
}
