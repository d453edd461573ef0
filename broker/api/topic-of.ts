import { ErrorCode, ZERO_UUID } from '../../protocol/index.js';
import type { RequestContext } from '../handler.js';

/** A topic that a request names, or why there is none. */
export interface NamedTopic {
  readonly name: string;
  readonly id: string;
  readonly errorCode: number;
  /** The code for a partition that this broker does not serve. */
  missingPartition(index: number): number;
}

/** Finds a topic by the id of newer versions, or by the name of older ones. */
export function topicOf(name: string, id: string, { services }: RequestContext): NamedTopic {
  const { topics, topicsById } = services.metadata.image;
  const byId = name === '' && id !== ZERO_UUID;
  const topic = byId ? topicsById.get(id) : topics.get(name);
  const missing = byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  return {
    name: topic?.name ?? name,
    id: topic?.id ?? id,
    errorCode: topic === undefined ? missing : ErrorCode.NONE,
    missingPartition: (index) =>
      topic?.partitions[index] === undefined
        ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        : ErrorCode.NOT_LEADER_OR_FOLLOWER,
  };
}
