import {
  api,
  array,
  bool,
  int8,
  int16,
  int32,
  type Read,
  string,
  uuid,
  type Write,
} from '../codec/index.js';

/** Creates topics. */
export const CreateTopics = api(19, 'CreateTopics', {
  versions: [2, 7],
  flexibleFrom: 5,
  request: {
    topics: array({
      name: string,
      numPartitions: int32,
      replicationFactor: int16,
      assignments: array({ partitionIndex: int32, brokerIds: array(int32) }),
      configs: array({ name: string, value: string.nullable() }),
    }),
    timeoutMs: int32.default(60000),
    validateOnly: bool.since(1),
  },
  response: {
    throttleTimeMs: int32.since(2),
    topics: array({
      name: string,
      topicId: uuid.since(7),
      errorCode: int16,
      errorMessage: string.nullable().since(1),
      topicConfigErrorCode: int16.since(5).tagged(0),
      numPartitions: int32.since(5).default(-1),
      replicationFactor: int16.since(5).default(-1),
      configs: array({
        name: string.since(5),
        value: string.nullable().since(5),
        readOnly: bool.since(5),
        configSource: int8.since(5).default(-1),
        isSensitive: bool.since(5),
      })
        .nullable()
        .since(5),
    }),
  },
});

export type CreateTopicsRequest = Read<typeof CreateTopics.request>;
export type CreateTopicsRequestInput = Write<typeof CreateTopics.request>;
export type CreateTopicsResponse = Read<typeof CreateTopics.response>;
export type CreateTopicsResponseInput = Write<typeof CreateTopics.response>;
