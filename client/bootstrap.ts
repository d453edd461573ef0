import { ClientError } from './errors.js';

/** Where a broker listens. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

const defaultPort = 9092;

/**
 * Reads `host`, `host:port` or `[ipv6]:port`; the port defaults to 9092.
 * Throws ClientError INVALID_ADDRESS.
 */
export function parseBrokerAddress(text: string): BrokerAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    const message = `'${text}' is not the address of a broker; write host:port`;
    throw new ClientError('INVALID_ADDRESS', message, false);
  }
  return { host, port };
}
