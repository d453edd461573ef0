import { CreatePartitions, type CreatePartitionsRequest, ErrorCode } from '../../protocol/index.js';
import { ApiError } from '../broker-error.js';
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
  { services }: RequestContext,
) {
  try {
    const elsewhere = assignments?.some(
      ({ brokerIds }) => brokerIds.join() !== `${services.nodeId}`,
    );
    if (elsewhere === true) {
      const text = `new partitions can only be assigned to broker ${services.nodeId}`;
      throw new ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, text);
    }
    await services.topics.grow(name, count, validateOnly);
    return { name, errorCode: ErrorCode.NONE, errorMessage: null };
  } catch (error) {
    return { name, errorCode: errorCodeOf(error), errorMessage: messageOf(error) };
  }
}
