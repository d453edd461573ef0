import {
  CreatePartitions,
  CreateTopics,
  DeleteTopics,
  ErrorCode,
  ZERO_UUID,
} from '../../protocol/index.js';
import type { Cluster } from '../cluster.js';
import { assertNoError } from '../errors.js';
import type { TopicMetadata } from '../metadata.js';
import type { RetryOptions } from '../retry.js';
import { askController } from './controller.js';

/** A topic to be made. */
export interface NewTopic {
  readonly name: string;
  /** Default: the broker's `num.partitions`. */
  readonly partitions?: number;
  /** Default: the broker's `default.replication.factor`. */
  readonly replicationFactor?: number;
  /** Kafka's topic properties. */
  readonly configs?: Readonly<Record<string, string>>;
}

/** All topics, by name. */
export async function listTopics(
  cluster: Cluster,
  options: RetryOptions,
): Promise<TopicMetadata[]> {
  await cluster.retry('list topics', options, () => cluster.refreshAll());
  return [...cluster.image.topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Throws BrokerError UNKNOWN_TOPIC_OR_PARTITION at once where there is no such topic. */
export async function describeTopic(
  cluster: Cluster,
  name: string,
  options: RetryOptions,
): Promise<TopicMetadata> {
  await cluster.retry(`topic ${name}`, options, () => cluster.refresh([name]));
  const topic = cluster.image.topics.get(name);
  cluster.forget(name);
  assertNoError(topic?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `topic ${name}`);
  // The code is NONE, so the topic is there.
  return topic as TopicMetadata;
}

export async function createTopic(
  cluster: Cluster,
  topic: NewTopic,
  options: RetryOptions,
): Promise<void> {
  const { name, partitions = -1, replicationFactor = -1, configs = {} } = topic;
  const response = await askController(cluster, `create topic ${name}`, options, CreateTopics, {
    topics: [
      {
        name,
        numPartitions: partitions,
        replicationFactor,
        assignments: [],
        configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
      },
    ],
    validateOnly: false,
  });
  for (const { errorCode, errorMessage } of response.topics) {
    assertNoError(errorCode, `create topic ${name}`, errorMessage);
  }
}

export async function deleteTopic(
  cluster: Cluster,
  name: string,
  options: RetryOptions,
): Promise<void> {
  const response = await askController(cluster, `delete topic ${name}`, options, DeleteTopics, {
    topics: [{ name, topicId: ZERO_UUID }],
    topicNames: [name],
    timeoutMs: 30_000,
  });
  for (const { errorCode, errorMessage } of response.responses) {
    assertNoError(errorCode, `delete topic ${name}`, errorMessage);
  }
}

export async function createPartitions(
  cluster: Cluster,
  name: string,
  count: number,
  options: RetryOptions,
): Promise<void> {
  const response = await askController(cluster, `grow topic ${name}`, options, CreatePartitions, {
    topics: [{ name, count, assignments: null }],
    timeoutMs: 30_000,
    validateOnly: false,
  });
  for (const { errorCode, errorMessage } of response.results) {
    assertNoError(errorCode, `grow topic ${name} to ${count} partitions`, errorMessage);
  }
}
