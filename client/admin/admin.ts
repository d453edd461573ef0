import { type OptionRules, rule } from '../../config/options/index.js';
import { DescribeCluster } from '../../protocol/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { type ClientSystem, Cluster, type ClusterOptions } from '../cluster.js';
import { fetchAllCommitted, type TopicPartitionOffset } from '../consumer/index.js';
import type { Node, TopicMetadata } from '../metadata.js';
import { type FoundOffset, listOffsets, type OffsetQuery } from '../offsets.js';
import { checkOptions, checkValue, clusterRules, partitionRule } from '../options/index.js';
import {
  alterConfigs,
  type ConfigChanges,
  type ConfigEntry,
  type ConfigResource,
  describeConfigs,
} from './configs.js';
import {
  deleteGroup,
  describeGroup,
  type GroupDescription,
  type GroupListing,
  listGroups,
  resetGroup,
} from './groups.js';
import {
  createPartitions,
  createTopic,
  deleteTopic,
  describeTopic,
  listTopics,
  type NewTopic,
} from './topics.js';

/** How an admin finds its cluster, and how long it tries. */
export interface AdminOptions extends ClusterOptions {
  /** Each call gives up after this time (GaveUpError). Default 10 s. */
  readonly timeoutMs?: number;
}

/** The cluster's brokers. */
export interface ClusterDescription {
  readonly clusterId: string | null;
  readonly controllerId: number;
  readonly brokers: readonly Node[];
}

const defaultTimeoutMs = 10_000;

const adminRules: OptionRules = { ...clusterRules, timeoutMs: rule.duration(0) };
const topicRules: OptionRules = {
  name: rule.text,
  partitions: rule.count(1),
  replicationFactor: rule.count(1),
  configs: rule.record(rule.anyText),
};
const resourceRules: OptionRules = { type: rule.oneOf('topic', 'broker'), name: rule.text };
const changeRules: OptionRules = {
  set: rule.record(rule.anyText),
  remove: rule.list(rule.text),
};
const offsetRule = partitionRule({ offset: rule.count(0) }, ['offset']);
const queryRule = partitionRule({ timestamp: rule.count(-5) }, ['timestamp']);

/**
 * What people do to a cluster. Calls repeat while no broker can be reached or the cluster is about
 * to recover; what a broker refuses is a BrokerError whose `code` is Kafka's name of the reason.
 */
export class Admin {
  readonly #cluster: Cluster;
  readonly #retry: { readonly timeoutMs: number };

  constructor(options: AdminOptions, system?: ClientSystem) {
    checkOptions('admin', options, adminRules, ['bootstrap']);
    this.#cluster = new Cluster(system ?? createRealSystem(), options);
    this.#retry = { timeoutMs: options.timeoutMs ?? defaultTimeoutMs };
  }

  async describeCluster(): Promise<ClusterDescription> {
    const cluster = this.#cluster;
    return cluster.retry('describe cluster', this.#retry, async () => {
      await cluster.refresh();
      const connection = await cluster.anyConnection();
      const { clusterId, controllerId, nodes } = cluster.image;
      if (!connection.supports(DescribeCluster)) {
        return { clusterId, controllerId, brokers: [...nodes.values()] };
      }
      const body = { includeClusterAuthorizedOperations: false, includeFencedBrokers: true };
      const described = await connection.request(DescribeCluster, body);
      const brokers = described.brokers.map(({ brokerId: nodeId, host, port, rack }) => ({
        nodeId,
        host,
        port,
        rack,
      }));
      return { clusterId: described.clusterId, controllerId: described.controllerId, brokers };
    });
  }

  /** All topics, internal ones included, by name. */
  listTopics(): Promise<TopicMetadata[]> {
    return listTopics(this.#cluster, this.#retry);
  }

  /** Throws BrokerError UNKNOWN_TOPIC_OR_PARTITION where there is none. */
  async describeTopic(name: string): Promise<TopicMetadata> {
    checkValue('the name of describeTopic', name, rule.text);
    return describeTopic(this.#cluster, name, this.#retry);
  }

  /** Throws BrokerError TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION and the like. */
  async createTopic(topic: NewTopic): Promise<void> {
    checkOptions('createTopic', topic, topicRules, ['name']);
    return createTopic(this.#cluster, topic, this.#retry);
  }

  async deleteTopic(name: string): Promise<void> {
    checkValue('the name of deleteTopic', name, rule.text);
    return deleteTopic(this.#cluster, name, this.#retry);
  }

  /** Grows a topic to `count` partitions. */
  async createPartitions(name: string, count: number): Promise<void> {
    checkValue('the name of createPartitions', name, rule.text);
    checkValue('the count of createPartitions', count, rule.count(1));
    return createPartitions(this.#cluster, name, count, this.#retry);
  }

  async describeConfigs(resource: ConfigResource): Promise<ConfigEntry[]> {
    checkOptions('describeConfigs', resource, resourceRules, ['type', 'name']);
    return describeConfigs(this.#cluster, resource, this.#retry);
  }

  async alterConfigs(resource: ConfigResource, changes: ConfigChanges): Promise<void> {
    checkOptions('alterConfigs', resource, resourceRules, ['type', 'name']);
    checkOptions('alterConfigs', changes, changeRules);
    return alterConfigs(this.#cluster, resource, changes, this.#retry);
  }

  /** All groups, by name. */
  listGroups(): Promise<GroupListing[]> {
    return listGroups(this.#cluster, this.#retry);
  }

  /** Throws BrokerError GROUP_ID_NOT_FOUND where there is none. */
  async describeGroup(groupId: string): Promise<GroupDescription> {
    checkValue('the group of describeGroup', groupId, rule.text);
    return describeGroup(this.#cluster, groupId, this.#retry);
  }

  /** Throws BrokerError NON_EMPTY_GROUP while it has members. */
  async deleteGroup(groupId: string): Promise<void> {
    checkValue('the group of deleteGroup', groupId, rule.text);
    return deleteGroup(this.#cluster, groupId, this.#retry);
  }

  /** Every offset that the group has committed. */
  async groupOffsets(groupId: string): Promise<TopicPartitionOffset[]> {
    checkValue('the group of groupOffsets', groupId, rule.text);
    return fetchAllCommitted(this.#cluster, groupId, this.#retry);
  }

  /** Sets offsets of a group; throws BrokerError NON_EMPTY_GROUP while it has members. */
  async resetGroup(groupId: string, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    checkValue('the group of resetGroup', groupId, rule.text);
    checkValue('the offsets of resetGroup', offsets, rule.list(offsetRule));
    return resetGroup(this.#cluster, groupId, offsets, this.#retry);
  }

  /** Looks offsets up by time, or the ends: EARLIEST_TIMESTAMP, LATEST_TIMESTAMP. */
  async listOffsets(queries: readonly OffsetQuery[]): Promise<FoundOffset[]> {
    checkValue('the queries of listOffsets', queries, rule.list(queryRule));
    for (const topic of new Set(queries.map((query) => query.topic))) {
      await this.describeTopic(topic);
    }
    return listOffsets(this.#cluster, queries, this.#retry);
  }

  /** Idempotent. */
  close(): void {
    this.#cluster.close();
  }
}
