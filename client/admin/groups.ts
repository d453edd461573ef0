import {
  ConsumerAssignment,
  ConsumerSubscription,
  DeleteGroups,
  DescribeGroups,
  type DescribeGroupsResponse,
  ErrorCode,
  ListGroups,
  readPrefixed,
} from '../../protocol/index.js';
import type { Cluster } from '../cluster.js';
import {
  commitOffsets,
  type TopicPartition,
  type TopicPartitionOffset,
} from '../consumer/index.js';
import { assertNoError, BrokerError } from '../errors.js';
import type { RetryOptions } from '../retry.js';

/** A group in the list of all. */
export interface GroupListing {
  readonly groupId: string;
  /** `consumer`, or what the members call their protocol. */
  readonly protocolType: string;
  /** Such as Stable or Empty; empty where the broker does not tell (before Kafka 2.6). */
  readonly state: string;
}

/** A member of a group. */
export interface GroupMemberDescription {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly topics: readonly string[];
  readonly assignment: readonly TopicPartition[];
}

/** A group and its members. */
export interface GroupDescription extends GroupListing {
  /** The assignor its members agreed on. */
  readonly assignor: string;
  readonly members: readonly GroupMemberDescription[];
}

/** All groups of all brokers, by name. */
export function listGroups(cluster: Cluster, options: RetryOptions): Promise<GroupListing[]> {
  return cluster.retry('list groups', options, async () => {
    await cluster.refresh();
    const answers = await Promise.all(
      [...cluster.image.nodes.keys()].map((nodeId) =>
        cluster.ask(nodeId, ListGroups, { statesFilter: [], typesFilter: [] }),
      ),
    );
    for (const { errorCode } of answers) assertNoError(errorCode, 'list groups');
    return answers
      .flatMap(({ groups }) => groups)
      .map(({ groupId, protocolType, groupState: state }) => ({ groupId, protocolType, state }))
      .sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
  });
}

/** Throws BrokerError GROUP_ID_NOT_FOUND where there is no such group. */
export function describeGroup(
  cluster: Cluster,
  groupId: string,
  options: RetryOptions,
): Promise<GroupDescription> {
  const what = `group ${groupId}`;
  return cluster.retry(what, options, async () => {
    const connection = await cluster.coordinator(groupId, 'control');
    const response = await connection.request(DescribeGroups, {
      groups: [groupId],
      includeAuthorizedOperations: false,
    });
    const group = response.groups[0];
    forgetIfMoved(cluster, groupId, group?.errorCode);
    assertNoError(group?.errorCode ?? ErrorCode.GROUP_ID_NOT_FOUND, what, group?.errorMessage);
    if (group === undefined || group.groupState === 'Dead') {
      throw new BrokerError(ErrorCode.GROUP_ID_NOT_FOUND, what);
    }
    return toDescription(group);
  });
}

function toDescription(group: DescribeGroupsResponse['groups'][number]): GroupDescription {
  const isConsumer = group.protocolType === 'consumer';
  return {
    groupId: group.groupId,
    protocolType: group.protocolType,
    state: group.groupState,
    assignor: group.protocolData,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      topics: isConsumer ? readTopics(member.memberMetadata) : [],
      assignment: isConsumer ? readAssigned(member.memberAssignment) : [],
    })),
  };
}

function readTopics(metadata: Buffer): readonly string[] {
  return metadata.length === 0 ? [] : readPrefixed(ConsumerSubscription, metadata).topics;
}

function readAssigned(assignment: Buffer): TopicPartition[] {
  if (assignment.length === 0) return [];
  return readPrefixed(ConsumerAssignment, assignment).assignedPartitions.flatMap(
    ({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })),
  );
}

/** Throws BrokerError NON_EMPTY_GROUP while the group has members. */
export async function deleteGroup(
  cluster: Cluster,
  groupId: string,
  options: RetryOptions,
): Promise<void> {
  await cluster.retry(`delete group ${groupId}`, options, async () => {
    const connection = await cluster.coordinator(groupId, 'control');
    const response = await connection.request(DeleteGroups, { groupsNames: [groupId] });
    const errorCode = response.results[0]?.errorCode ?? ErrorCode.GROUP_ID_NOT_FOUND;
    forgetIfMoved(cluster, groupId, errorCode);
    assertNoError(errorCode, `delete group ${groupId}`);
  });
}

/** Sets a group's offsets. Throws BrokerError NON_EMPTY_GROUP while it has members. */
export async function resetGroup(
  cluster: Cluster,
  groupId: string,
  offsets: readonly TopicPartitionOffset[],
  options: RetryOptions,
): Promise<void> {
  const what = `reset group ${groupId}`;
  const topics = [...new Set(offsets.map(({ topic }) => topic))];
  await cluster.retry(what, options, () => cluster.refresh(topics));
  const outsider = { groupId, generation: -1, memberId: '', groupInstanceId: null };
  try {
    await commitOffsets(cluster, outsider, offsets, options);
  } catch (error) {
    const isInUse = error instanceof BrokerError && error.errorCode === ErrorCode.UNKNOWN_MEMBER_ID;
    throw isInUse ? new BrokerError(ErrorCode.NON_EMPTY_GROUP, what) : error;
  }
}

function forgetIfMoved(cluster: Cluster, groupId: string, errorCode: number | undefined): void {
  if (errorCode === ErrorCode.NOT_COORDINATOR) cluster.forgetCoordinator(groupId);
}
