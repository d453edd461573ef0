import { DeleteTopics, ErrorCode, ZERO_UUID } from '../../protocol/index.js';
import { handler, type RequestContext } from '../handler.js';
import { errorCodeOf, messageOf } from './error-code.js';

export const deleteTopics = handler(DeleteTopics, async (request, context) => {
  const wanted =
    context.apiVersion >= 6
      ? request.topics
      : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
  return { responses: await Promise.all(wanted.map((topic) => remove(topic, context))) };
});

async function remove(
  { name, topicId }: { readonly name: string | null; readonly topicId: string },
  { services }: RequestContext,
) {
  const topic = name ?? services.metadata.image.topicsById.get(topicId)?.name;
  if (topic === undefined) {
    return { name, topicId, errorCode: ErrorCode.UNKNOWN_TOPIC_ID, errorMessage: null };
  }
  const id = services.metadata.image.topics.get(topic)?.id ?? topicId;
  try {
    await services.topics.delete(topic);
    await services.groups.forgetTopic(topic);
    return { name: topic, topicId: id, errorCode: ErrorCode.NONE, errorMessage: null };
  } catch (error) {
    const errorCode = errorCodeOf(error);
    return { name: topic, topicId: id, errorCode, errorMessage: messageOf(error) };
  }
}
