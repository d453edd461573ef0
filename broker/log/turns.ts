/**
 * One work at a time, in the order in which it was asked for: what goes on in the background of
 * many logs must not take all threads from what a client waits for.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Begins `work` when all that was asked for before has ended; resolves or rejects with it. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
