import { ErrorCode } from '../../protocol/index.js';
import { CLUSTER_NAME } from '../authorizer.js';
import { ApiError } from '../broker-error.js';
import type { BrokerServices } from '../services.js';
import type { Session } from '../session.js';

/** The ids of producers as one client may have them; those of transactions will be found here. */
export class ProducerIdResources {
  constructor(
    private readonly session: Session,
    private readonly services: BrokerServices,
  ) {}

  /** An id for an idempotent producer without transactions, never handed out before. */
  async allocate(): Promise<number> {
    const { authorizer, metadata, partitions } = this.services;
    if (!authorizer(this.session, 'IDEMPOTENT_WRITE', 'CLUSTER', CLUSTER_NAME)) {
      const text = 'IDEMPOTENT_WRITE of the cluster is not allowed';
      throw new ApiError(ErrorCode.CLUSTER_AUTHORIZATION_FAILED, text);
    }
    return metadata.allocateProducerId((id) => partitions.knowProducer(id));
  }
}
