import { CreatePartitions, type CreatePartitionsRequest, ErrorCode } from '../../protocol/index.js';
import { handler, type RequestContext } from '../handler.js';
import { errorCodeOf, messageOf } from './error-code.js';

type Requested = CreatePartitionsRequest['topics'][number];

export const createPartitions = handler(CreatePartitions, async (request, context) => {
  const results = request.topics.map((topic) => grow(topic, request.validateOnly, context));
  return { results: await Promise.all(results) };
});

async function grow(
  { name, count, assignments }: Requested,
  validateOnly: boolean,
  { topics }: RequestContext,
) {
  try {
    const brokers = (assignments ?? []).map(({ brokerIds }) => brokerIds);
    await topics.grow(name, count, brokers, validateOnly);
    return { name, errorCode: ErrorCode.NONE, errorMessage: null };
  } catch (error) {
    return { name, errorCode: errorCodeOf(error), errorMessage: messageOf(error) };
  }
}
