import { array, int32, string } from '../codec/index.js';

/** Where the leaders that an answer names are reached, from this version on (KIP-951). */
export const nodeEndpoints = (since: number) =>
  array({
    nodeId: int32.since(since),
    host: string.since(since),
    port: int32.since(since),
    rack: string.nullable().since(since).default(null),
  })
    .since(since)
    .tagged(0);
