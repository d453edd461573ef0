import type { LogDirectory } from './log-directory.js';
import type { ClusterMetadata, TopicState } from './metadata/index.js';
import type { BrokerSettings } from './properties/index.js';
import { OFFSETS_TOPIC, offsetsTopicProperties } from './topic-names.js';

/**
 * Takes over the topics whose logs are here but which no metadata knows: a directory of Apache
 * Kafka's, say, or one that lost its metadata. Their properties are not in the logs.
 */
export async function adoptTopics(
  metadata: ClusterMetadata,
  directory: LogDirectory,
  nodeId: number,
  settings: BrokerSettings,
): Promise<void> {
  const topics = new Map<string, { id: string; partitions: number }>();
  for (const { topic, partition, topicId } of directory.storedPartitions()) {
    if (topicId === undefined) continue;
    const partitions = Math.max(topics.get(topic)?.partitions ?? 0, partition + 1);
    topics.set(topic, { id: topicId, partitions });
  }
  const state = { leader: nodeId, leaderEpoch: 0, replicas: [nodeId], isr: [nodeId] };
  const adopted = [...topics].map(([name, { id, partitions }]): TopicState => {
    // Which of them has a group's offsets follows from their number, and some have no files yet.
    const isOffsets = name === OFFSETS_TOPIC;
    const count = isOffsets ? Math.max(partitions, settings.offsetsTopicNumPartitions) : partitions;
    const properties = isOffsets ? offsetsTopicProperties(settings) : {};
    return { name, id, properties, partitions: Array.from({ length: count }, () => state) };
  });
  await metadata.addTopics(adopted);
}
