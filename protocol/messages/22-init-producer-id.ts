import { api, int16, int32, int64, type Read, string, type Write } from '../codec/index.js';

/** Hands out a producer id and its epoch. Version 6 (two-phase commit) is unstable: not offered. */
export const InitProducerId = api(22, 'InitProducerId', {
  versions: [0, 5],
  flexibleFrom: 2,
  request: {
    transactionalId: string.nullable(),
    transactionTimeoutMs: int32,
    producerId: int64.since(3).default(-1),
    producerEpoch: int16.since(3).default(-1),
  },
  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    producerId: int64.default(-1),
    producerEpoch: int16,
  },
});

export type InitProducerIdRequest = Read<typeof InitProducerId.request>;
export type InitProducerIdRequestInput = Write<typeof InitProducerId.request>;
export type InitProducerIdResponse = Read<typeof InitProducerId.response>;
export type InitProducerIdResponseInput = Write<typeof InitProducerId.response>;
