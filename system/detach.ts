/**
 * Lets work go on by itself: the one way to let go of a promise (test/promises.test.ts holds it).
 *
 * @param onFailure hears why the work was rejected. It must not throw: nobody would hear of that
 *   but the process, which tells it as an unhandled rejection.
 */
export function detach(work: Promise<unknown>, onFailure: (error: unknown) => void): void {
  work.catch(onFailure);
}
