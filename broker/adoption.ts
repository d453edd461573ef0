import type { LogDirectory } from './log-directory.js';
import type { TopicState } from './metadata/index.js';
import type { BrokerSettings } from './properties/index.js';
import { OFFSETS_TOPIC, offsetsTopicProperties } from './topic-names.js';

/**
 * The topics whose logs are here, for metadata that begin: the directory is Apache Kafka's, say,
 * or has lost its own. Topics' properties are not in the logs. Metadata that know of no topic are
 * another matter: there the last one was deleted, and its logs may still be here.
 */
export function adoptedTopics(
  directory: LogDirectory,
  nodeId: number,
  settings: BrokerSettings,
): TopicState[] {
  const topics = new Map<string, { id: string; partitions: number }>();
  for (const { topic, partition, topicId } of directory.storedPartitions()) {
    if (topicId === undefined) continue;
    const partitions = Math.max(topics.get(topic)?.partitions ?? 0, partition + 1);
    topics.set(topic, { id: topicId, partitions });
  }
  const state = { leader: nodeId, leaderEpoch: 0, replicas: [nodeId], isr: [nodeId] };
  return [...topics].map(([name, { id, partitions }]): TopicState => {
    // Which of them has a group's offsets follows from their number, and some have no files yet.
    const isOffsets = name === OFFSETS_TOPIC;
    const count = isOffsets ? Math.max(partitions, settings.offsetsTopicNumPartitions) : partitions;
    const properties = isOffsets ? offsetsTopicProperties(settings) : {};
    return { name, id, properties, partitions: Array.from({ length: count }, () => state) };
  });
}
