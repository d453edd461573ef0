import {
  api,
  array,
  int16,
  int32,
  int64,
  type Read,
  string,
  uuid,
  type Write,
} from '../codec/index.js';

/** Stores a group's positions. */
export const OffsetCommit = api(8, 'OffsetCommit', {
  versions: [2, 10],
  flexibleFrom: 8,
  request: {
    groupId: string,
    generationIdOrMemberEpoch: int32.since(1).default(-1),
    memberId: string.since(1),
    groupInstanceId: string.nullable().since(7).default(null),
    retentionTimeMs: int64.since(2).until(4).default(-1),
    topics: array({
      name: string.until(9),
      topicId: uuid.since(10),
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.since(6).default(-1),
        committedMetadata: string.nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.since(3),
    topics: array({
      name: string.until(9),
      topicId: uuid.since(10),
      partitions: array({ partitionIndex: int32, errorCode: int16 }),
    }),
  },
});

export type OffsetCommitRequest = Read<typeof OffsetCommit.request>;
export type OffsetCommitRequestInput = Write<typeof OffsetCommit.request>;
export type OffsetCommitResponse = Read<typeof OffsetCommit.response>;
export type OffsetCommitResponseInput = Write<typeof OffsetCommit.response>;
