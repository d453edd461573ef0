import type { HttpResponse, System } from '../../system/index.js';
import { retryAfterOf } from './retry-after.js';

const FIRST_BACKOFF_MS = 500;
const LAST_BACKOFF_MS = 30_000;
const QUOTED_BODY_BYTES = 200;

/** One request; its body is the same whenever it is repeated. */
export interface Delivery {
  readonly idempotencyKey: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/**
 * What became of it. `refused`: something in the body is at fault. `denied`: nothing sent there
 * will be accepted until a person has mended address or credentials.
 */
export type Verdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused' | 'denied'; readonly reason: string };

/** Where requests go. */
export interface DestinationOptions {
  readonly system: Pick<System, 'http' | 'clock' | 'random' | 'log'>;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/**
 * An HTTP endpoint. It repeats what may succeed later: network faults, 408, 425, 429 and 5xx, after
 * `Retry-After` or an exponential backoff that all partitions share.
 */
export class Destination {
  readonly #options: DestinationOptions;
  readonly #shown: string;
  #failures = 0;
  /** Monotonic time before which nothing is sent. */
  #notBefore = 0;

  constructor(options: DestinationOptions) {
    this.#options = options;
    const { origin, pathname } = new URL(options.url);
    // Without the query: it may hold secrets.
    this.#shown = origin + pathname;
  }

  /** Resolves with the verdict; undefined where `signal` aborted first. */
  async deliver(delivery: Delivery, signal: AbortSignal): Promise<Verdict | undefined> {
    for (;;) {
      await this.#wait(signal);
      if (signal.aborted) return undefined;
      const verdict = await this.#attempt(delivery, signal);
      if (verdict !== undefined) return verdict;
    }
  }

  /** All partitions wait for the one backoff, which another failure may have made longer. */
  async #wait(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.system;
    for (;;) {
      const waitMs = this.#notBefore - clock.monotonic();
      if (waitMs <= 0 || signal.aborted) return;
      await clock.sleep(waitMs, signal);
    }
  }

  /** undefined: to be tried again. */
  async #attempt(delivery: Delivery, signal: AbortSignal): Promise<Verdict | undefined> {
    const { system, url, headers, timeoutMs } = this.#options;
    let response: HttpResponse;
    try {
      response = await system.http.request({
        method: 'POST',
        url,
        headers: {
          ...headers,
          'content-type': delivery.contentType,
          'idempotency-key': delivery.idempotencyKey,
        },
        body: delivery.body,
        timeoutMs,
        signal,
      });
    } catch (error) {
      if (!signal.aborted) {
        this.#backOff({}, error instanceof Error ? error.message : String(error));
      }
      return undefined;
    }
    const { status } = response;
    if (status >= 200 && status < 300) {
      this.#failures = 0;
      return { kind: 'accepted' };
    }
    const reason = describe(this.#shown, response);
    if (isTransient(status)) {
      this.#backOff(response.headers, reason);
      return undefined;
    }
    this.#failures = 0;
    return { kind: isDenial(status) ? 'denied' : 'refused', reason };
  }

  /** What the destination asks for can only make the wait longer. */
  #backOff(headers: HttpResponse['headers'], reason: string): void {
    const { clock, random, log } = this.#options.system;
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, LAST_BACKOFF_MS);
    const jitteredMs = backoffMs * (0.75 + random.float() / 2);
    const waitMs = Math.max(jitteredMs, retryAfterOf(headers, clock.now()) ?? 0);
    this.#failures += 1;
    this.#notBefore = Math.max(this.#notBefore, clock.monotonic() + waitMs);
    log.warn(`${this.#shown} does not take records now, trying again: ${reason}`, {
      waitMs: Math.round(waitMs),
      failures: this.#failures,
    });
  }
}

function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** Of address, credentials, method, headers or licence: no record's fault. So are redirections. */
const DENIALS = new Set([
  401, 402, 403, 404, 405, 406, 407, 410, 411, 412, 414, 415, 416, 417, 421, 426, 428, 431, 451,
]);

function isDenial(status: number): boolean {
  return status < 400 || DENIALS.has(status);
}

function describe(shown: string, { status, body }: HttpResponse): string {
  const quoted = body.subarray(0, QUOTED_BODY_BYTES).toString('utf8').trim();
  return `${shown} answered ${status}${quoted === '' ? '' : `: ${quoted}`}`;
}
