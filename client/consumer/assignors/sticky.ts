import { partitionKey, type TopicPartition } from '../../topic-partition.js';
import {
  type Assignor,
  emptyAssignment,
  type GroupMember,
  sortMembers,
  subscribedPartitions,
} from './assignor.js';
import { decodeStickyData, encodeStickyData } from './sticky-data.js';

/**
 * As even as possible, and among even assignments one that moves little: each member keeps what
 * it had, what is free goes to whoever has least, and what is too much moves to whoever has least.
 */
export const sticky: Assignor = {
  name: 'sticky',
  userData: (last, generation) => encodeStickyData(last, generation),
  assign: (members, partitionCounts) => {
    const sorted = sortMembers(members);
    const partitions = subscribedPartitions(members, partitionCounts);
    const owners = previousOwners(sorted, partitions);
    const loads = new Map(sorted.map((member) => [member.memberId, 0]));
    const give = (partition: TopicPartition, memberId: string) => {
      owners.set(partitionKey(partition), memberId);
      loads.set(memberId, loadOf(memberId) + 1);
    };
    const loadOf = (memberId: string) => loads.get(memberId) ?? 0;
    const leastLoaded = (topic: string) =>
      sorted
        .filter((member) => member.topics.includes(topic))
        .reduce((least, member) =>
          loadOf(member.memberId) < loadOf(least.memberId) ? member : least,
        ).memberId;

    for (const owner of owners.values()) loads.set(owner, loadOf(owner) + 1);
    for (const partition of partitions) {
      if (!owners.has(partitionKey(partition))) give(partition, leastLoaded(partition.topic));
    }
    // Each move makes the sum of the squared loads smaller, so this ends.
    for (let moved = true; moved; ) {
      moved = false;
      for (const partition of partitions) {
        const owner = owners.get(partitionKey(partition)) ?? '';
        const least = leastLoaded(partition.topic);
        if (loadOf(owner) <= loadOf(least) + 1) continue;
        loads.set(owner, loadOf(owner) - 1);
        give(partition, least);
        moved = true;
      }
    }
    const assignment = emptyAssignment(members);
    for (const partition of partitions) {
      assignment.get(owners.get(partitionKey(partition)) ?? '')?.push(partition);
    }
    return assignment;
  },
};

/** Who had what, by partition key; of two that claim a partition the later generation is right. */
function previousOwners(
  members: readonly GroupMember[],
  partitions: readonly TopicPartition[],
): Map<string, string> {
  const existing = new Set(partitions.map(partitionKey));
  const owners = new Map<string, string>();
  const generations = new Map<string, number>();
  for (const { memberId, topics, userData } of members) {
    const { previous, generation } = decodeStickyData(userData);
    for (const partition of previous) {
      const key = partitionKey(partition);
      if (!existing.has(key) || !topics.includes(partition.topic)) continue;
      if (generation <= (generations.get(key) ?? Number.NEGATIVE_INFINITY)) continue;
      owners.set(key, memberId);
      generations.set(key, generation);
    }
  }
  return owners;
}
