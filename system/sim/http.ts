import { detach } from '../detach.js';
import type { Http, HttpReply, HttpRequest, HttpResponse } from '../http.js';
import type { Life } from './life.js';
import type { SeededRandom } from './random.js';
import type { Scheduler } from './scheduler.js';

/**
 * What a scripted endpoint does with a request: it answers; `lost`: it has done its work, but the
 * answer does not arrive (ECONNRESET); `hang`: nothing comes back until the request times out.
 */
export type ScriptedAnswer = HttpResponse | 'lost' | 'hang';

/** A request as an endpoint sees it; the body is what arrived. */
export interface ReceivedRequest {
  readonly process: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type Endpoint = (request: ReceivedRequest) => ScriptedAnswer | Promise<ScriptedAnswer>;

const maxLatencyMs = 5;
const defaultResponseBytes = 1024 * 1024;
const firstPort = 30_000;

/** The simulated web: endpoints by origin (`http://host:port`). */
export class SimWeb {
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  #nextPort = firstPort;

  constructor(scheduler: Scheduler, random: SeededRandom) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Serves `origin` from now on; returns what ends that (requests are refused then). */
  endpoint(origin: string, answer: Endpoint): () => void {
    this.#endpoints.set(origin, answer);
    return () => {
      if (this.#endpoints.get(origin) === answer) this.#endpoints.delete(origin);
    };
  }

  httpOf(life: Life): Http {
    return {
      request: (request) => this.#request(life, request),
      serve: async (address, handler) => this.#serve(life, address, handler),
    };
  }

  #request(life: Life, request: HttpRequest): Promise<HttpResponse> {
    if (!life.alive) return new Promise(() => {});
    life.effect(`${request.method} ${request.url}`);
    const url = new URL(request.url);
    return new Promise((resolve, reject) => {
      const fail = (code: string, meaning: string) => {
        const message = `${request.method} ${url.host}: ${meaning}`;
        settle(() => reject(Object.assign(new Error(message), { code })));
      };
      const abort = () => {
        settle(() => reject(request.signal?.reason));
      };
      const timer = this.#scheduler.after(request.timeoutMs, life, () =>
        fail('ETIMEDOUT', `no answer within ${request.timeoutMs} ms`),
      );
      const settle = (finish: () => void) => {
        timer.cancel();
        request.signal?.removeEventListener('abort', abort);
        finish();
      };
      if (request.signal?.aborted) return abort();
      request.signal?.addEventListener('abort', abort);
      const ask = async () => {
        const endpoint = this.#endpoints.get(url.origin);
        if (endpoint === undefined) {
          return this.#afterLatency(life, () => fail('ECONNREFUSED', 'connection refused'));
        }
        const answer = await endpoint(received(life, request, url));
        if (answer === 'hang') return;
        this.#afterLatency(life, () => {
          if (answer === 'lost') fail('ECONNRESET', 'the connection was reset');
          else settle(() => resolve(cut(answer, request.maxResponseBytes)));
        });
      };
      // An endpoint of a test that throws fails the test that asked it.
      this.#afterLatency(undefined, () => detach(ask(), reject));
    });
  }

  #afterLatency(life: Life | undefined, callback: () => void): void {
    this.#scheduler.after(this.#random.float() * maxLatencyMs, life, callback);
  }

  async #serve(
    life: Life,
    address: { host: string; port: number },
    handler: (method: string, path: string) => Promise<HttpReply>,
  ): Promise<{ readonly host: string; readonly port: number; close(): Promise<void> }> {
    const { host } = address;
    const port = address.port || this.#nextPort++;
    const origin = `http://${host}:${port}`;
    if (this.#endpoints.has(origin)) {
      const message = `listen EADDRINUSE ${host}:${port}: address already in use`;
      throw Object.assign(new Error(message), { code: 'EADDRINUSE' });
    }
    const close = this.endpoint(origin, async ({ method, path }) => {
      const { status, contentType, body } = await handler(method, path).catch((error: unknown) => ({
        status: 500,
        contentType: 'text/plain',
        body: String(error),
      }));
      return { status, headers: { 'content-type': contentType }, body: Buffer.from(body) };
    });
    life.onEnd(close);
    return { host, port, close: async () => close() };
  }
}

function received(life: Life, request: HttpRequest, url: URL): ReceivedRequest {
  return {
    process: life.name,
    method: request.method,
    path: url.pathname + url.search,
    headers: request.headers ?? {},
    body: Buffer.from(request.body ?? ''),
  };
}

function cut(response: HttpResponse, maxBytes = defaultResponseBytes): HttpResponse {
  return { ...response, body: response.body.subarray(0, maxBytes) };
}
