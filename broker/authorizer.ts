import type { Session } from './session.js';

/** Kafka's AclOperation. */
export type Operation =
  | 'READ'
  | 'WRITE'
  | 'CREATE'
  | 'DELETE'
  | 'ALTER'
  | 'DESCRIBE'
  | 'CLUSTER_ACTION'
  | 'DESCRIBE_CONFIGS'
  | 'ALTER_CONFIGS'
  | 'IDEMPOTENT_WRITE';

/** Kafka's ResourceType. */
export type ResourceType = 'TOPIC' | 'GROUP' | 'CLUSTER' | 'TRANSACTIONAL_ID';

/** The name of the one resource of type CLUSTER. */
export const CLUSTER_NAME = 'kafka-cluster';

/**
 * Whether who asks may do this to that resource. Called by broker/resources alone, once per
 * resource that a request names, hence also on the way of every produce and fetch request.
 */
export type Authorizer = (
  session: Session,
  operation: Operation,
  type: ResourceType,
  name: string,
) => boolean;

/** Everybody may do everything, as in a Kafka without an authorizer. */
export const allowAll: Authorizer = () => true;
