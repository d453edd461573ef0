import { ApiVersions, ErrorCode } from '../../protocol/index.js';
import { type Handler, handler } from '../handler.js';

/**
 * Produce is advertised from 0 though it is taken from 3: librdkafka switches its features by the
 * lowest version and would send no lz4 or zstd (KAFKA-18659).
 */
const PRODUCE_KEY = 0;
const PRODUCE_ADVERTISED_MIN = 0;

/** Names and versions of the clients that ask are a courtesy; nothing depends on them. */
export function apiVersions(handlers: () => Iterable<Handler>): Handler {
  return handler(ApiVersions, () => ({
    errorCode: ErrorCode.NONE,
    apiKeys: [...handlers()].map(({ api: { key: apiKey, minVersion, maxVersion } }) => ({
      apiKey,
      minVersion: apiKey === PRODUCE_KEY ? PRODUCE_ADVERTISED_MIN : minVersion,
      maxVersion,
    })),
  }));
}
