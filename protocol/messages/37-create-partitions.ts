import { api, array, bool, int16, int32, type Read, string, type Write } from '../codec/index.js';

/** Grows topics. */
export const CreatePartitions = api(37, 'CreatePartitions', {
  versions: [0, 3],
  flexibleFrom: 2,
  request: {
    topics: array({
      name: string,
      count: int32,
      assignments: array({ brokerIds: array(int32) }).nullable(),
    }),
    timeoutMs: int32,
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32.default(0),
    results: array({
      name: string,
      errorCode: int16,
      errorMessage: string.nullable().default(null),
    }),
  },
});

export type CreatePartitionsRequest = Read<typeof CreatePartitions.request>;
export type CreatePartitionsRequestInput = Write<typeof CreatePartitions.request>;
export type CreatePartitionsResponse = Read<typeof CreatePartitions.response>;
export type CreatePartitionsResponseInput = Write<typeof CreatePartitions.response>;
