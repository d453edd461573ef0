import { ErrorCode, type ErrorName, errorName, isRetriable } from '../protocol/index.js';
import { ClientError } from './connection/index.js';

export {
  ClientError,
  ConnectError,
  ConnectionClosedError,
  RequestTimeoutError,
  UnsupportedVersionError,
} from './connection/index.js';

/** The broker refused; `code` is Kafka's name of the reason. */
export class BrokerError extends ClientError {
  override readonly name = 'BrokerError';

  /** @param what the object and the deed, such as `topic orders: fetch` */
  constructor(
    readonly errorCode: number,
    what: string,
    detail?: string | null,
  ) {
    const name = errorName(errorCode);
    const words = detail ?? advice[name as ErrorName] ?? 'refused by the broker';
    super(name, `${what}: ${words} (${name})`, isRetriable(errorCode));
  }
}

/** The client has been closed, or is being closed. */
export class ClosedError extends ClientError {
  override readonly name = 'ClosedError';

  constructor(what: string, cause?: unknown) {
    super('CLOSED', `${what} is closed`, false, { cause });
  }
}

/** No broker did what was asked within the time given; `cause` is the last failure. */
export class GaveUpError extends ClientError {
  override readonly name = 'GaveUpError';

  constructor(what: string, timeoutMs: number, cause: unknown) {
    const last = cause instanceof Error ? `: ${cause.message}` : '';
    super('GAVE_UP', `${what}: gave up after ${timeoutMs} ms${last}`, true, { cause });
  }
}

/** Throws BrokerError unless the code is NONE. */
export function assertNoError(errorCode: number, what: string, detail?: string | null): void {
  if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, what, detail);
}

/** Whether the same call may succeed later. */
export function isRetriableError(error: unknown): boolean {
  return error instanceof ClientError && error.retriable;
}

const advice: Partial<Record<ErrorName, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'there is no such topic or partition; create it first',
  UNKNOWN_TOPIC_ID: 'the topic has been deleted or re-created',
  TOPIC_ALREADY_EXISTS: 'it exists already',
  INVALID_TOPIC_EXCEPTION: 'the name is not allowed',
  INVALID_PARTITIONS: 'the number of partitions is not allowed',
  INVALID_REPLICATION_FACTOR: 'there are not that many brokers',
  OFFSET_OUT_OF_RANGE: 'the offset is not, or no longer, in the log',
  INVALID_TIMESTAMP:
    'the time of a record is too far from the broker’s clock: set the clock that is wrong; ' +
    'see message.timestamp.before.max.ms and .after.max.ms',
  MESSAGE_TOO_LARGE: 'larger than the topic allows; see max.message.bytes',
  GROUP_ID_NOT_FOUND: 'there is no such group',
  NON_EMPTY_GROUP: 'the group has members; stop them first',
  FENCED_INSTANCE_ID: 'another member has taken this group instance id',
  COORDINATOR_NOT_AVAILABLE: 'the coordinator is not available yet',
  NOT_LEADER_OR_FOLLOWER: 'the broker does not lead this partition any more',
  TOPIC_AUTHORIZATION_FAILED: 'not allowed on this topic',
  GROUP_AUTHORIZATION_FAILED: 'not allowed on this group',
  CLUSTER_AUTHORIZATION_FAILED: 'not allowed on this cluster',
  UNSUPPORTED_VERSION: 'the broker does not support this',
};
