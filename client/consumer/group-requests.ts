import {
  ConsumerAssignment,
  ConsumerSubscription,
  Heartbeat,
  type HeartbeatRequestInput,
  JoinGroup,
  type JoinGroupRequestInput,
  type JoinGroupResponse,
  LeaveGroup,
  type LeaveGroupRequestInput,
  readPrefixed,
  SyncGroup,
  type SyncGroupRequestInput,
  writePrefixed,
} from '../../protocol/index.js';
import { byTopic, type TopicPartition } from '../topic-partition.js';
import { type Assignment, assignors, type GroupMember } from './assignors/index.js';
import type { Membership } from './membership.js';
import type { ConsumerSettings } from './settings.js';

/** What all requests of a member carry. */
export interface GroupIdentity {
  readonly groupId: string;
  readonly settings: ConsumerSettings;
}

const protocolType = 'consumer';
/** With the owned partitions, which are none: eager members give up all before they join. */
const subscriptionVersion = 1;
const assignmentVersion = 1;

export { Heartbeat, JoinGroup, LeaveGroup, SyncGroup };

export function joinBody(
  { groupId, settings }: GroupIdentity,
  { memberId, generation }: Membership,
  topics: readonly string[],
  lastAssignment: readonly TopicPartition[],
): JoinGroupRequestInput {
  const protocols = settings.assignors.map((name) => {
    const userData = assignors[name].userData(lastAssignment, generation);
    const subscription = { topics: [...topics].sort(), userData, ownedPartitions: [] };
    const metadata = writePrefixed(ConsumerSubscription, subscription, subscriptionVersion);
    return { name, metadata };
  });
  return {
    groupId,
    sessionTimeoutMs: settings.sessionTimeoutMs,
    rebalanceTimeoutMs: settings.rebalanceTimeoutMs,
    memberId,
    groupInstanceId: settings.groupInstanceId ?? null,
    protocolType,
    protocols,
  };
}

/** The members as JoinGroup tells its leader. */
export function readMembers(response: JoinGroupResponse): GroupMember[] {
  return response.members.map(({ memberId, groupInstanceId, metadata }) => {
    const { topics, userData } = readPrefixed(ConsumerSubscription, metadata);
    return { memberId, groupInstanceId, topics, userData };
  });
}

export function syncBody(
  { groupId, settings }: GroupIdentity,
  { memberId, generation }: Membership,
  protocolName: string,
  assignment: Assignment,
): SyncGroupRequestInput {
  return {
    groupId,
    generationId: generation,
    memberId,
    groupInstanceId: settings.groupInstanceId ?? null,
    protocolType,
    protocolName,
    assignments: [...assignment].map(([member, partitions]) => ({
      memberId: member,
      assignment: encodeAssignment(partitions),
    })),
  };
}

function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const assignedPartitions = [...byTopic(partitions)].map(([topic, group]) => ({
    topic,
    partitions: group.map(({ partition }) => partition),
  }));
  return writePrefixed(ConsumerAssignment, { assignedPartitions }, assignmentVersion);
}

/** What SyncGroup brought; an empty answer is an assignment of nothing. */
export function readAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return [];
  return readPrefixed(ConsumerAssignment, bytes).assignedPartitions.flatMap(
    ({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })),
  );
}

export function heartbeatBody(
  { groupId, settings }: GroupIdentity,
  { memberId, generation }: Membership,
): HeartbeatRequestInput {
  const groupInstanceId = settings.groupInstanceId ?? null;
  return { groupId, generationId: generation, memberId, groupInstanceId };
}

export function leaveBody(
  { groupId }: GroupIdentity,
  { memberId }: Membership,
): LeaveGroupRequestInput {
  return { groupId, memberId, members: [{ memberId, reason: 'the consumer was closed' }] };
}
