import { ErrorCode, type MetadataResponse, ZERO_UUID } from '../protocol/index.js';

/** A broker as the cluster names it. */
export interface Node {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** One partition of a topic. */
export interface PartitionMetadata {
  readonly partition: number;
  /** -1 while there is none. */
  readonly leaderId: number;
  /** -1 where the broker does not tell. */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offline: readonly number[];
  readonly errorCode: number;
}

/** What is known of one topic. */
export interface TopicMetadata {
  readonly name: string;
  /** ZERO_UUID where the broker does not tell (before Kafka 2.8). */
  readonly topicId: string;
  readonly isInternal: boolean;
  /** UNKNOWN_TOPIC_OR_PARTITION and the like; then there are no partitions. */
  readonly errorCode: number;
  /** By partition number, without holes. */
  readonly partitions: readonly PartitionMetadata[];
}

/** What is known of the cluster at one time; never changed, only replaced. */
export interface ClusterImage {
  readonly clusterId: string | null;
  readonly controllerId: number;
  readonly nodes: ReadonlyMap<number, Node>;
  readonly topics: ReadonlyMap<string, TopicMetadata>;
  readonly namesById: ReadonlyMap<string, string>;
}

export const emptyImage: ClusterImage = {
  clusterId: null,
  controllerId: -1,
  nodes: new Map(),
  topics: new Map(),
  namesById: new Map(),
};

/**
 * The image after a Metadata response. A broker that lags behind may name an old leader: of the
 * same topic's partitions the higher leader epoch wins (KIP-320).
 */
export function mergeMetadata(image: ClusterImage, response: MetadataResponse): ClusterImage {
  const topics = new Map(image.topics);
  for (const answered of response.topics) {
    if (answered.name === null) continue;
    const known = topics.get(answered.name);
    const topic = toTopic(answered.name, answered);
    topics.set(answered.name, known ? withoutSteppingBack(known, topic) : topic);
  }
  const namesById = new Map<string, string>();
  for (const { topicId, name } of topics.values()) {
    if (topicId !== ZERO_UUID) namesById.set(topicId, name);
  }
  const nodes = new Map(response.brokers.map((node) => [node.nodeId, node]));
  return {
    clusterId: response.clusterId,
    controllerId: response.controllerId,
    nodes: nodes.size > 0 ? nodes : image.nodes,
    topics,
    namesById,
  };
}

function toTopic(name: string, answered: MetadataResponse['topics'][number]): TopicMetadata {
  const partitions = answered.partitions
    .map((partition) => ({
      partition: partition.partitionIndex,
      leaderId: partition.leaderId,
      leaderEpoch: partition.leaderEpoch,
      replicas: partition.replicaNodes,
      isr: partition.isrNodes,
      offline: partition.offlineReplicas,
      errorCode: partition.errorCode,
    }))
    .sort((a, b) => a.partition - b.partition);
  const { topicId, isInternal, errorCode } = answered;
  return { name, topicId, isInternal, errorCode, partitions };
}

function withoutSteppingBack(known: TopicMetadata, fresh: TopicMetadata): TopicMetadata {
  if (known.topicId !== fresh.topicId || fresh.errorCode !== ErrorCode.NONE) return fresh;
  const partitions = fresh.partitions.map((partition, index) => {
    const before = known.partitions[index];
    const isOlder =
      before !== undefined &&
      partition.leaderEpoch >= 0 &&
      before.partition === partition.partition &&
      before.leaderEpoch > partition.leaderEpoch;
    return isOlder ? before : partition;
  });
  return { ...fresh, partitions };
}
