import { ErrorCode } from '../../protocol/index.js';
import { CLUSTER_NAME, type Operation } from '../authorizer.js';
import { ApiError } from '../broker-error.js';
import type { Properties } from '../properties/index.js';
import type { BrokerServices } from '../services.js';
import type { Session } from '../session.js';

/** The cluster as one client may use it. What is refused is an ApiError. */
export class ClusterResources {
  constructor(
    private readonly session: Session,
    private readonly services: BrokerServices,
  ) {}

  /** The cluster's id; as in Kafka anybody may know it, and who its brokers are. */
  get id(): string {
    return this.services.metadata.image.clusterId;
  }

  /** This broker's number, which is also the controller's. */
  get nodeId(): number {
    return this.services.nodeId;
  }

  /** This broker's properties as they were set. */
  properties(operation: Operation): Properties {
    this.check(operation);
    return this.services.properties;
  }

  private check(operation: Operation): void {
    const { authorizer } = this.services;
    if (authorizer(this.session, operation, 'CLUSTER', CLUSTER_NAME)) return;
    const text = `${operation} of the cluster is not allowed`;
    throw new ApiError(ErrorCode.CLUSTER_AUTHORIZATION_FAILED, text);
  }
}
