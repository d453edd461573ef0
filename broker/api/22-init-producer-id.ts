import { ErrorCode, InitProducerId } from '../../protocol/index.js';
import { handler } from '../handler.js';
import { errorCodeOf } from './error-code.js';

const MAX_EPOCH = 32_767;

/**
 * For idempotent producers. One that names its id and epoch (KIP-360) gets the next epoch;
 * transactional ids have no coordinator here yet.
 */
export const initProducerId = handler(InitProducerId, async (request, { services }) => {
  const { transactionalId, producerId, producerEpoch } = request;
  const refuse = (errorCode: number) => ({ errorCode, producerId: -1, producerEpoch: -1 });
  if (transactionalId !== null) {
    const unsupported = transactionalId === '' ? 'INVALID_REQUEST' : 'COORDINATOR_NOT_AVAILABLE';
    return refuse(ErrorCode[unsupported]);
  }
  if (producerId >= 0 && producerEpoch >= 0 && producerEpoch < MAX_EPOCH - 1) {
    return { errorCode: ErrorCode.NONE, producerId, producerEpoch: producerEpoch + 1 };
  }
  try {
    const allocated = await services.metadata.allocateProducerId();
    return { errorCode: ErrorCode.NONE, producerId: allocated, producerEpoch: 0 };
  } catch (error) {
    services.system.log.error('no producer id could be handed out', { error });
    return refuse(errorCodeOf(error));
  }
});
