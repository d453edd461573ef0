import { int16, int32, message, type Read, string } from '../codec/index.js';

/** What precedes every request. The client id is never compact (KIP-482). */
export const RequestHeader = message(
  'RequestHeader',
  { versions: [1, 2], flexibleFrom: 2 },
  {
    requestApiKey: int16,
    requestApiVersion: int16,
    correlationId: int32,
    clientId: string.nullable().since(1).neverCompact(),
  },
);
export type RequestHeader = Read<typeof RequestHeader>;

/** What precedes every response; ApiVersions answers with version 0 always. */
export const ResponseHeader = message(
  'ResponseHeader',
  { versions: [0, 1], flexibleFrom: 1 },
  { correlationId: int32 },
);
export type ResponseHeader = Read<typeof ResponseHeader>;
