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
  { topics }: RequestContext,
) {
  // A name counts, be it empty: what is deleted for good must have been meant.
  const found = topics.find(name, name === null ? topicId : ZERO_UUID, 'DESCRIBE');
  if (name === null && found.state === undefined) {
    return { name, topicId, errorCode: found.errorCode, errorMessage: null };
  }
  const { name: topic } = found;
  const id = found.state?.id ?? topicId;
  try {
    await topics.delete(topic);
    return { name: topic, topicId: id, errorCode: ErrorCode.NONE, errorMessage: null };
  } catch (error) {
    const errorCode = errorCodeOf(error);
    return { name: topic, topicId: id, errorCode, errorMessage: messageOf(error) };
  }
}
