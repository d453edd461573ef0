import {
  api,
  array,
  int8,
  int16,
  int32,
  int64,
  type Read,
  records,
  string,
  struct,
  uuid,
  type Write,
} from '../codec/index.js';
import { LONG_MAX } from '../int64.js';
import { nodeEndpoints } from './node-endpoints.js';

/** Reads record batches from partitions, waiting for `minBytes`. */
export const Fetch = api(1, 'Fetch', {
  versions: [4, 18],
  flexibleFrom: 12,
  request: {
    clusterId: string.nullable().since(12).tagged(0).default(null),
    replicaId: int32.until(14).default(-1),
    replicaState: struct({
      replicaId: int32.since(15).default(-1),
      replicaEpoch: int64.since(15).default(-1),
    })
      .since(15)
      .tagged(1),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.since(3).default(0x7fffffff),
    isolationLevel: int8.since(4).default(0),
    sessionId: int32.since(7).default(0),
    sessionEpoch: int32.since(7).default(-1),
    topics: array({
      topic: string.until(12),
      topicId: uuid.since(13),
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.since(9).default(-1),
        fetchOffset: int64,
        lastFetchedEpoch: int32.since(12).default(-1),
        logStartOffset: int64.since(5).default(-1),
        partitionMaxBytes: int32,
        replicaDirectoryId: uuid.since(17).tagged(0),
        highWatermark: int64.since(18).tagged(1).default(LONG_MAX),
      }),
    }),
    forgottenTopicsData: array({
      topic: string.since(7).until(12),
      topicId: uuid.since(13),
      partitions: array(int32).since(7),
    }).since(7),
    rackId: string.since(11),
  },
  response: {
    throttleTimeMs: int32.since(1),
    errorCode: int16.since(7),
    sessionId: int32.since(7).default(0),
    responses: array({
      topic: string.until(12),
      topicId: uuid.since(13),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        highWatermark: int64,
        lastStableOffset: int64.since(4).default(-1),
        logStartOffset: int64.since(5).default(-1),
        divergingEpoch: struct({
          epoch: int32.since(12).default(-1),
          endOffset: int64.since(12).default(-1),
        })
          .since(12)
          .tagged(0),
        currentLeader: struct({
          leaderId: int32.since(12).default(-1),
          leaderEpoch: int32.since(12).default(-1),
        })
          .since(12)
          .tagged(1),
        snapshotId: struct({ endOffset: int64.default(-1), epoch: int32.default(-1) })
          .since(12)
          .tagged(2),
        abortedTransactions: array({ producerId: int64.since(4), firstOffset: int64.since(4) })
          .nullable()
          .since(4),
        preferredReadReplica: int32.since(11).default(-1),
        records: records.nullable(),
      }),
    }),
    nodeEndpoints: nodeEndpoints(16),
  },
});

export type FetchRequest = Read<typeof Fetch.request>;
export type FetchRequestInput = Write<typeof Fetch.request>;
export type FetchResponse = Read<typeof Fetch.response>;
export type FetchResponseInput = Write<typeof Fetch.response>;
