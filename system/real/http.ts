import type { Agent, Dispatcher } from 'undici';
import { detach } from '../detach.js';
import type { Http, HttpReply, HttpRequest, HttpResponse } from '../http.js';

const defaultResponseBytes = 1024 * 1024;

/** HTTP of the machine; undici and node:http are loaded on first use. */
export function createHttp(): Http {
  let agent: Agent | undefined;
  return {
    request: async (request) => {
      const undici = await import('undici');
      agent ??= new undici.Agent({ connections: 16, connect: { timeout: 10_000 } });
      return exchange(agent, request);
    },
    serve,
  };
}

async function exchange(agent: Agent, request: HttpRequest): Promise<HttpResponse> {
  const overdue = AbortSignal.timeout(request.timeoutMs);
  const signal = request.signal ? AbortSignal.any([overdue, request.signal]) : overdue;
  const url = new URL(request.url);
  try {
    const response = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method as Dispatcher.HttpMethod,
      headers: { ...request.headers },
      body: request.body ?? null,
      signal,
    });
    const limit = request.maxResponseBytes ?? defaultResponseBytes;
    const body = await readBody(response.body, limit);
    return { status: response.statusCode, headers: flatten(response.headers), body };
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw networkError(error, request, url.host, overdue.aborted);
  }
}

/** undici's own names for network faults are Node's here; the message names host and method. */
function networkError(
  error: unknown,
  request: HttpRequest,
  host: string,
  isOverdue: boolean,
): unknown {
  if (!(error instanceof Error)) return error;
  const given = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const code = isOverdue ? 'ETIMEDOUT' : ((given && nodeCodes[given]) ?? given);
  if (code === undefined) return error;
  const meaning = isOverdue ? `no answer within ${request.timeoutMs} ms` : error.message;
  const message = `${request.method} ${host}: ${meaning}`;
  return Object.assign(new Error(message, { cause: error }), { code });
}

const nodeCodes: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: 'ECONNRESET',
  UND_ERR_CONNECT_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_HEADERS_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_BODY_TIMEOUT: 'ETIMEDOUT',
};

async function readBody(stream: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= limit) break;
  }
  return Buffer.concat(chunks, Math.min(size, limit));
}

function flatten(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

async function serve(
  address: { host: string; port: number },
  handler: (method: string, path: string) => Promise<HttpReply>,
): Promise<{ readonly host: string; readonly port: number; close(): Promise<void> }> {
  const { createServer } = await import('node:http');
  const server = createServer((request, response) => {
    const send = (reply: HttpReply) => {
      response.writeHead(reply.status, { 'content-type': reply.contentType });
      response.end(reply.body);
    };
    const replied = answer(handler, request.method ?? 'GET', request.url ?? '/').then(send);
    detach(replied, () => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('not a TCP listener');
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { host: bound.address, port: bound.port, close };
}

async function answer(
  handler: (method: string, path: string) => Promise<HttpReply>,
  method: string,
  url: string,
): Promise<HttpReply> {
  try {
    return await handler(method, url);
  } catch (error) {
    return { status: 500, contentType: 'text/plain', body: `${error}\n` };
  }
}
