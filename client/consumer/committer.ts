import {
  ErrorCode,
  OffsetCommit,
  type OffsetCommitRequestInput,
  OffsetFetch,
  type OffsetFetchRequestInput,
  type OffsetFetchResponse,
  ZERO_UUID,
} from '../../protocol/index.js';
import type { Cluster } from '../cluster.js';
import { assertNoError, BrokerError } from '../errors.js';
import type { RetryOptions } from '../retry.js';
import { byTopic, type TopicPartition, type TopicPartitionOffset } from '../topic-partition.js';

/** Who commits. Consumers outside the group's membership have generation -1 and no member id. */
export interface Committer {
  readonly groupId: string;
  readonly generation: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/** The last version that names topics instead of giving their ids. */
const lastVersionWithNames = 9;

/**
 * Stores the group's offsets. Repeats while the coordinator is moving or loading; rejects with
 * BrokerError where the coordinator does not know the member or its generation (any more).
 */
export async function commitOffsets(
  cluster: Cluster,
  committer: Committer,
  offsets: readonly TopicPartitionOffset[],
  options: RetryOptions = {},
): Promise<void> {
  if (offsets.length === 0) return;
  const { groupId, generation, memberId, groupInstanceId } = committer;
  const ids = topicIds(cluster, offsets);
  const body: OffsetCommitRequestInput = {
    groupId,
    generationIdOrMemberEpoch: generation,
    memberId,
    groupInstanceId,
    topics: [...byTopic(offsets)].map(([topic, group]) => ({
      name: topic,
      topicId: ids?.get(topic) ?? ZERO_UUID,
      partitions: group.map(({ partition, offset }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedMetadata: '',
      })),
    })),
  };
  await cluster.retry(`group ${groupId}: commit`, options, async () => {
    const connection = await cluster.coordinator(groupId);
    const response = await connection.request(OffsetCommit, body, versionLimit(ids));
    for (const topic of response.topics) {
      for (const { errorCode } of topic.partitions) assertCoordinated(cluster, groupId, errorCode);
    }
  });
}

/** The group's offset for each of these partitions; those without one are left out. */
export async function fetchCommitted(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[],
  options: RetryOptions = {},
): Promise<TopicPartitionOffset[]> {
  if (partitions.length === 0) return [];
  const ids = topicIds(cluster, partitions);
  const topics = [...byTopic(partitions)].map(([topic, group]) => ({
    name: topic,
    topicId: ids?.get(topic) ?? ZERO_UUID,
    partitionIndexes: group.map(({ partition }) => partition),
  }));
  const body: OffsetFetchRequestInput = {
    groupId,
    topics,
    groups: [{ groupId, topics }],
    requireStable: true,
  };
  return cluster.retry(`group ${groupId}: fetch offsets`, options, async () => {
    const connection = await cluster.coordinator(groupId);
    const response = await connection.request(OffsetFetch, body, versionLimit(ids));
    return readCommitted(cluster, groupId, response);
  });
}

/** All offsets of a group, whatever the topics. */
export async function fetchAllCommitted(
  cluster: Cluster,
  groupId: string,
  options: RetryOptions = {},
): Promise<TopicPartitionOffset[]> {
  const body: OffsetFetchRequestInput = {
    groupId,
    topics: null,
    groups: [{ groupId, topics: null }],
    requireStable: false,
  };
  return cluster.retry(`group ${groupId}: fetch offsets`, options, async () => {
    const connection = await cluster.coordinator(groupId, 'control');
    const response = await connection.request(OffsetFetch, body, {
      maxVersion: lastVersionWithNames,
    });
    return readCommitted(cluster, groupId, response);
  });
}

function readCommitted(
  cluster: Cluster,
  groupId: string,
  response: OffsetFetchResponse,
): TopicPartitionOffset[] {
  const group = response.groups[0];
  assertCoordinated(cluster, groupId, group?.errorCode ?? response.errorCode);
  const found: TopicPartitionOffset[] = [];
  const add = (topic: string, answered: { partitionIndex: number; committedOffset: number }) => {
    const { partitionIndex: partition, committedOffset: offset } = answered;
    if (offset >= 0) found.push({ topic, partition, offset });
  };
  for (const { name, topicId, partitions } of group?.topics ?? []) {
    const topic = name || cluster.image.namesById.get(topicId);
    for (const answered of partitions) {
      assertCoordinated(cluster, groupId, answered.errorCode);
      if (topic !== undefined) add(topic, answered);
    }
  }
  for (const { name, partitions } of response.topics) {
    for (const answered of partitions) {
      assertCoordinated(cluster, groupId, answered.errorCode);
      add(name, answered);
    }
  }
  return found;
}

/** Topic ids keep an offset from reaching a topic re-created under the name; undefined: unknown. */
function topicIds(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
): ReadonlyMap<string, string> | undefined {
  const ids = new Map<string, string>();
  for (const { topic } of partitions) {
    const topicId = cluster.image.topics.get(topic)?.topicId ?? ZERO_UUID;
    if (topicId === ZERO_UUID) return undefined;
    ids.set(topic, topicId);
  }
  return ids;
}

function versionLimit(ids: ReadonlyMap<string, string> | undefined): { maxVersion?: number } {
  return ids === undefined ? { maxVersion: lastVersionWithNames } : {};
}

function assertCoordinated(cluster: Cluster, groupId: string, errorCode: number): void {
  const isElsewhere =
    errorCode === ErrorCode.NOT_COORDINATOR || errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE;
  if (isElsewhere) cluster.forgetCoordinator(groupId);
  assertNoError(errorCode, `group ${groupId}: offsets`);
}

/** Whether the coordinator says that the committer has lost its place in the group. */
export function isMembershipError(error: unknown): error is BrokerError {
  const codes: readonly number[] = [
    ErrorCode.ILLEGAL_GENERATION,
    ErrorCode.UNKNOWN_MEMBER_ID,
    ErrorCode.REBALANCE_IN_PROGRESS,
    ErrorCode.FENCED_INSTANCE_ID,
  ];
  return error instanceof BrokerError && codes.includes(error.errorCode);
}
