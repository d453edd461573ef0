import { api, array, int16, int32, type Read, string, uuid, type Write } from '../codec/index.js';

/** Deletes topics by name or, from v6 on, by id. */
export const DeleteTopics = api(20, 'DeleteTopics', {
  versions: [1, 6],
  flexibleFrom: 4,
  request: {
    topics: array({ name: string.nullable().since(6).default(null), topicId: uuid.since(6) }).since(
      6,
    ),
    topicNames: array(string).until(5),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32.since(1),
    responses: array({
      name: string.nullable(6),
      topicId: uuid.since(6),
      errorCode: int16,
      errorMessage: string.nullable().since(5).default(null),
    }),
  },
});

export type DeleteTopicsRequest = Read<typeof DeleteTopics.request>;
export type DeleteTopicsRequestInput = Write<typeof DeleteTopics.request>;
export type DeleteTopicsResponse = Read<typeof DeleteTopics.response>;
export type DeleteTopicsResponseInput = Write<typeof DeleteTopics.response>;
