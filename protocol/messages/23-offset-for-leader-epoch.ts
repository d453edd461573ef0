import { api, array, int16, int32, int64, type Read, string, type Write } from '../codec/index.js';

/** The end offset of a leader epoch (KIP-101). */
export const OffsetForLeaderEpoch = api(23, 'OffsetForLeaderEpoch', {
  versions: [2, 4],
  flexibleFrom: 4,
  request: {
    replicaId: int32.since(3).default(-2),
    topics: array({
      topic: string,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.since(2).default(-1),
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.since(2),
    topics: array({
      topic: string,
      partitions: array({
        errorCode: int16,
        partition: int32,
        leaderEpoch: int32.since(1).default(-1),
        endOffset: int64.default(-1),
      }),
    }),
  },
});

export type OffsetForLeaderEpochRequest = Read<typeof OffsetForLeaderEpoch.request>;
export type OffsetForLeaderEpochRequestInput = Write<typeof OffsetForLeaderEpoch.request>;
export type OffsetForLeaderEpochResponse = Read<typeof OffsetForLeaderEpoch.response>;
export type OffsetForLeaderEpochResponseInput = Write<typeof OffsetForLeaderEpoch.response>;
