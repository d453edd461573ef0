import { detach, type System } from '../../system/index.js';

/** How long a callback of the application is waited for, and who waits. */
export interface Patience {
  readonly system: Pick<System, 'clock' | 'log'>;
  readonly limitMs: number;
  /** Ends the waiting: the consumer is closed. */
  readonly signal: AbortSignal;
}

/**
 * Waits for a callback as long as the group waits for its member: after that others have the
 * partitions. Rejects with what it throws in time; what it throws later is `onLateFailure`'s.
 */
export async function waitFor(
  where: string,
  { system, limitMs, signal }: Patience,
  work: () => Promise<void>,
  onLateFailure: (error: unknown) => void,
): Promise<void> {
  const over = new AbortController();
  const done = work();
  const late = system.clock
    .sleep(limitMs, AbortSignal.any([over.signal, signal]))
    .then(() => !over.signal.aborted);
  const isLate = await Promise.race([done.then(() => false), late]).finally(() => over.abort());
  if (!isLate) return;
  detach(done, onLateFailure);
  if (signal.aborted) return;
  system.log.warn(`${where} takes longer than the group waits: rebalances go on without it`, {
    rebalanceTimeoutMs: limitMs,
  });
}
