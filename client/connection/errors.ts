/** Root of the client's errors: a stable `code` and whether the same call may succeed later. */
export class ClientError extends Error {
  override readonly name: string = 'ClientError';

  constructor(
    readonly code: string,
    message: string,
    readonly retriable: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** No connection could be made; the message names the address, `cause` is the reason. */
export class ConnectError extends ClientError {
  override readonly name = 'ConnectError';

  constructor(
    readonly address: string,
    cause: unknown,
  ) {
    super('CONNECT_FAILED', `cannot connect to the broker at ${address}: ${reason(cause)}`, true, {
      cause,
    });
  }
}

/** The connection ended while a request was waiting, or before it was made. */
export class ConnectionClosedError extends ClientError {
  override readonly name = 'ConnectionClosedError';

  constructor(
    readonly address: string,
    cause?: unknown,
  ) {
    const why = cause === undefined ? 'the broker closed it' : reason(cause);
    super('CONNECTION_CLOSED', `the connection to the broker at ${address} ended: ${why}`, true, {
      cause,
    });
  }
}

/** The broker did not answer in time. The connection is closed, as later answers wait behind. */
export class RequestTimeoutError extends ClientError {
  override readonly name = 'RequestTimeoutError';

  constructor(address: string, apiName: string, timeoutMs: number) {
    const message = `the broker at ${address} did not answer ${apiName} within ${timeoutMs} ms`;
    super('REQUEST_TIMEOUT', message, true);
  }
}

/** Broker and client share no version of an API that is needed. */
export class UnsupportedVersionError extends ClientError {
  override readonly name = 'UnsupportedVersionError';

  constructor(address: string, apiName: string, needed: string, offered: string) {
    const message = `the broker at ${address} offers ${apiName} ${offered}, this needs ${needed}`;
    super('UNSUPPORTED_VERSION', message, false);
  }
}

/** What the operating system said, in words where they are known. */
function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = 'code' in cause ? cause.code : undefined;
  const words = typeof code === 'string' ? meanings[code] : undefined;
  return words === undefined ? cause.message : `${words} (${code})`;
}

const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused, nothing listens there',
  ECONNRESET: 'connection reset by the broker',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name service does not answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer in time',
  EPIPE: 'connection closed by the broker',
};
