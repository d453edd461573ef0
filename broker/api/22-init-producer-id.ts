import { ErrorCode, InitProducerId } from '../../protocol/index.js';
import { handler } from '../handler.js';
import { errorCodeOf } from './error-code.js';

/**
 * A new id for an idempotent producer; as in Kafka also where it names the one it had, because
 * without a transactional id nobody can vouch that it is its own. Transactions come later.
 */
export const initProducerId = handler(
  InitProducerId,
  async ({ transactionalId }, { producerIds, log }) => {
    const refuse = (errorCode: number) => ({ errorCode, producerId: -1, producerEpoch: -1 });
    if (transactionalId !== null) return refuse(ErrorCode.INVALID_REQUEST);
    try {
      const producerId = await producerIds.allocate();
      return { errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 };
    } catch (error) {
      log.error('no producer id could be handed out', { error });
      return refuse(errorCodeOf(error));
    }
  },
);
