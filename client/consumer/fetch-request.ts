import type { FetchRequestInput } from '../../protocol/index.js';
import type { Cluster } from '../cluster.js';
import { byTopic } from '../topic-partition.js';
import type { AssignedPartition } from './partition.js';
import type { ConsumerSettings } from './settings.js';

/** A Fetch request for these partitions, without a fetch session (KIP-227: epoch -1). */
export function fetchBody(
  cluster: Cluster,
  settings: ConsumerSettings,
  partitions: readonly AssignedPartition[],
  maxBytes: number,
  maxWaitMs: number,
): FetchRequestInput {
  const topics = [...byTopic(partitions)].map(([topic, group]) => ({
    topic,
    ...(group[0] && { topicId: group[0].topicId }),
    partitions: group.map(({ partition, fetchOffset }) => ({
      partition,
      fetchOffset,
      currentLeaderEpoch: cluster.partition(topic, partition)?.leaderEpoch ?? -1,
      partitionMaxBytes: Math.min(settings.maxPartitionBytes, maxBytes),
    })),
  }));
  return {
    maxWaitMs,
    minBytes: settings.minBytes,
    maxBytes,
    isolationLevel: settings.isolationLevel === 'read_committed' ? 1 : 0,
    topics,
    forgottenTopicsData: [],
    rackId: '',
  };
}
