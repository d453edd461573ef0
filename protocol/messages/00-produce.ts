import {
  api,
  array,
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
import { nodeEndpoints } from './node-endpoints.js';

/** Appends record batches to partitions. */
export const Produce = api(0, 'Produce', {
  versions: [3, 13],
  flexibleFrom: 9,
  request: {
    transactionalId: string.nullable().since(3).default(null),
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: string.until(12),
      topicId: uuid.since(13),
      partitionData: array({ index: int32, records: records.nullable() }),
    }),
  },
  response: {
    responses: array({
      name: string.until(12),
      topicId: uuid.since(13),
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        baseOffset: int64,
        logAppendTimeMs: int64.since(2).default(-1),
        logStartOffset: int64.since(5).default(-1),
        recordErrors: array({
          batchIndex: int32.since(8),
          batchIndexErrorMessage: string.nullable().since(8).default(null),
        }).since(8),
        errorMessage: string.nullable().since(8).default(null),
        currentLeader: struct({
          leaderId: int32.since(10).default(-1),
          leaderEpoch: int32.since(10).default(-1),
        })
          .since(10)
          .tagged(0),
      }),
    }),
    throttleTimeMs: int32.since(1).default(0),
    nodeEndpoints: nodeEndpoints(10),
  },
});

export type ProduceRequest = Read<typeof Produce.request>;
export type ProduceRequestInput = Write<typeof Produce.request>;
export type ProduceResponse = Read<typeof Produce.response>;
export type ProduceResponseInput = Write<typeof Produce.response>;
