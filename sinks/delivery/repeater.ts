import type { System } from '../../system/index.js';
import type { Delivery, Destination, Verdict } from './destination.js';
import { untilAborted } from './until-aborted.js';

const FIRST_BACKOFF_MS = 500;
const LAST_BACKOFF_MS = 30_000;
/** Nobody means longer ones. */
const LONGEST_ASKED_MS = 3_600_000;
/** A destination that keeps the timeout itself has the first word: it knows what did not answer. */
const GRACE_MS = 1_000;

/** A verdict that ends the repeating. */
export type FinalVerdict = Exclude<Verdict, { readonly kind: 'unavailable' }>;

/** What a repeater works with. */
export interface RepeaterOptions {
  readonly system: Pick<System, 'clock' | 'random' | 'log'>;
  readonly destination: Destination;
  /** For one request and its answer. */
  readonly timeoutMs: number;
}

/**
 * Repeats what may succeed later, for ever: after what the destination asks for, or an exponential
 * back-off that all partitions share.
 */
export class Repeater {
  readonly #options: RepeaterOptions;
  #failures = 0;
  /** Monotonic time before which nothing is sent. */
  #notBefore = 0;

  constructor(options: RepeaterOptions) {
    this.#options = options;
  }

  /** Resolves with the verdict; undefined where `signal` aborted first. */
  async deliver(delivery: Delivery, signal: AbortSignal): Promise<FinalVerdict | undefined> {
    for (;;) {
      await this.#wait(signal);
      if (signal.aborted) return undefined;
      const verdict = await this.#attempt(delivery, signal);
      if (verdict.kind !== 'unavailable') {
        this.#failures = 0;
        return verdict;
      }
      if (!signal.aborted) this.#backOff(askedMs(verdict.retryAfterMs), verdict.reason);
    }
  }

  /** All partitions wait for the one back-off, which another failure may have made longer. */
  async #wait(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.system;
    for (;;) {
      const waitMs = this.#notBefore - clock.monotonic();
      if (waitMs <= 0 || signal.aborted) return;
      await clock.sleep(waitMs, signal);
    }
  }

  async #attempt(delivery: Delivery, signal: AbortSignal): Promise<Verdict> {
    const { system, destination, timeoutMs } = this.#options;
    const ended = new AbortController();
    const end = () => ended.abort();
    const timer = system.clock.after(timeoutMs + GRACE_MS, end);
    signal.addEventListener('abort', end);
    try {
      const verdict = await untilAborted(destination.send(delivery, ended.signal), ended.signal);
      if (verdict !== undefined || !ended.signal.aborted) return verdictOf(verdict);
      return { kind: 'unavailable', reason: `no answer within ${timeoutMs} ms` };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: 'unavailable', reason };
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', end);
    }
  }

  /** What the destination asks for can only make the wait longer. */
  #backOff(retryAfterMs: number, reason: string): void {
    const { system, destination } = this.#options;
    const { clock, random, log } = system;
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, LAST_BACKOFF_MS);
    const jitteredMs = backoffMs * (0.75 + random.float() / 2);
    const waitMs = Math.max(jitteredMs, retryAfterMs);
    this.#failures += 1;
    this.#notBefore = Math.max(this.#notBefore, clock.monotonic() + waitMs);
    log.warn(`${destination.shown} does not take records now, trying again: ${reason}`, {
      waitMs: Math.round(waitMs),
      failures: this.#failures,
    });
  }
}

const KINDS: readonly unknown[] = [
  'accepted',
  'refused',
  'denied',
  'unavailable',
] satisfies Verdict['kind'][];

/** Whatever is no verdict accepts nothing: a plugin in JavaScript may give anything. */
function verdictOf(given: Partial<Verdict> | undefined | null): Verdict {
  if (KINDS.includes(given?.kind)) return given as Verdict;
  const reason = `its send() gave no verdict (kind: ${String(given?.kind)}): mend the plugin`;
  return { kind: 'denied', reason };
}

/** Of what a destination asks for: from 0 to an hour. What is no number asks for nothing. */
function askedMs(retryAfterMs: number | undefined): number {
  const wantedMs = Number(retryAfterMs ?? 0);
  return Number.isNaN(wantedMs) ? 0 : Math.min(Math.max(wantedMs, 0), LONGEST_ASKED_MS);
}
