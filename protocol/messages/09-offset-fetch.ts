import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  type Read,
  string,
  uuid,
  type Write,
} from '../codec/index.js';

/** Reads a group's positions; v8 and later for many groups at once. */
export const OffsetFetch = api(9, 'OffsetFetch', {
  versions: [1, 10],
  flexibleFrom: 6,
  request: {
    groupId: string.until(7),
    topics: array({ name: string.until(7), partitionIndexes: array(int32).until(7) })
      .nullable(2)
      .until(7),
    groups: array({
      groupId: string.since(8),
      memberId: string.nullable().since(9).default(null),
      memberEpoch: int32.since(9).default(-1),
      topics: array({
        name: string.since(8).until(9),
        topicId: uuid.since(10),
        partitionIndexes: array(int32).since(8),
      })
        .nullable()
        .since(8),
    }).since(8),
    requireStable: bool.since(7),
  },
  response: {
    throttleTimeMs: int32.since(3),
    topics: array({
      name: string.until(7),
      partitions: array({
        partitionIndex: int32.until(7),
        committedOffset: int64.until(7),
        committedLeaderEpoch: int32.since(5).until(7).default(-1),
        metadata: string.nullable().until(7),
        errorCode: int16.until(7),
      }).until(7),
    }).until(7),
    errorCode: int16.since(2).until(7).default(0),
    groups: array({
      groupId: string.since(8),
      topics: array({
        name: string.since(8).until(9),
        topicId: uuid.since(10),
        partitions: array({
          partitionIndex: int32.since(8),
          committedOffset: int64.since(8),
          committedLeaderEpoch: int32.since(8).default(-1),
          metadata: string.nullable().since(8),
          errorCode: int16.since(8),
        }).since(8),
      }).since(8),
      errorCode: int16.since(8).default(0),
    }).since(8),
  },
});

export type OffsetFetchRequest = Read<typeof OffsetFetch.request>;
export type OffsetFetchRequestInput = Write<typeof OffsetFetch.request>;
export type OffsetFetchResponse = Read<typeof OffsetFetch.response>;
export type OffsetFetchResponseInput = Write<typeof OffsetFetch.response>;
