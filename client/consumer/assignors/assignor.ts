import type { TopicPartition } from '../../topic-partition.js';

/** A member of the group as its leader sees it. */
export interface GroupMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly topics: readonly string[];
  /** What the assignor's `userData` made the member send; null where it sent nothing. */
  readonly userData: Buffer | null;
}

/** What each member gets, by member id; every member has an entry. */
export type Assignment = ReadonlyMap<string, readonly TopicPartition[]>;

/** Deals the partitions of the subscribed topics out to the members. Pure. */
export interface Assignor {
  /** As other clients call it: a group picks an assignor that all its members name. */
  readonly name: 'range' | 'roundrobin' | 'sticky';
  /** @param partitionCounts by topic; topics that do not exist are not in it */
  assign(members: readonly GroupMember[], partitionCounts: ReadonlyMap<string, number>): Assignment;
  /** What a member sends to the leader about its last assignment; null: nothing. */
  userData(last: readonly TopicPartition[], generation: number): Buffer | null;
}

/** The order that decides who gets more: static members by instance id, others by member id. */
export function sortMembers(members: readonly GroupMember[]): GroupMember[] {
  return [...members].sort((a, b) => {
    if (a.groupInstanceId !== null && b.groupInstanceId !== null) {
      return a.groupInstanceId < b.groupInstanceId ? -1 : 1;
    }
    if (a.groupInstanceId !== null) return -1;
    if (b.groupInstanceId !== null) return 1;
    return a.memberId < b.memberId ? -1 : 1;
  });
}

/** All partitions of the topics that somebody subscribes to, by topic name and number. */
export function subscribedPartitions(
  members: readonly GroupMember[],
  partitionCounts: ReadonlyMap<string, number>,
): TopicPartition[] {
  const topics = [...new Set(members.flatMap((member) => member.topics))].sort();
  return topics.flatMap((topic) =>
    Array.from({ length: partitionCounts.get(topic) ?? 0 }, (_, partition) => ({
      topic,
      partition,
    })),
  );
}

/** An empty list for each member. */
export function emptyAssignment(members: readonly GroupMember[]): Map<string, TopicPartition[]> {
  return new Map(members.map((member) => [member.memberId, []]));
}
