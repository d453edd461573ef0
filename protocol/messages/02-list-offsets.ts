import {
  api,
  array,
  int8,
  int16,
  int32,
  int64,
  type Read,
  string,
  type Write,
} from '../codec/index.js';

/** Looks offsets up by timestamp; -1 the end, -2 the start, -3 the largest timestamp. */
export const ListOffsets = api(2, 'ListOffsets', {
  versions: [1, 11],
  flexibleFrom: 6,
  request: {
    replicaId: int32,
    isolationLevel: int8.since(2),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        currentLeaderEpoch: int32.since(4).default(-1),
        timestamp: int64,
      }),
    }),
    timeoutMs: int32.since(10),
  },
  response: {
    throttleTimeMs: int32.since(2),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        timestamp: int64.since(1).default(-1),
        offset: int64.since(1).default(-1),
        leaderEpoch: int32.since(4).default(-1),
      }),
    }),
  },
});

export type ListOffsetsRequest = Read<typeof ListOffsets.request>;
export type ListOffsetsRequestInput = Write<typeof ListOffsets.request>;
export type ListOffsetsResponse = Read<typeof ListOffsets.response>;
export type ListOffsetsResponseInput = Write<typeof ListOffsets.response>;
