import { type Assignor, emptyAssignment, sortMembers, subscribedPartitions } from './assignor.js';

/** All partitions of all topics in turn, each to the next member that subscribes to its topic. */
export const roundRobin: Assignor = {
  name: 'roundrobin',
  userData: () => null,
  assign: (members, partitionCounts) => {
    const assignment = emptyAssignment(members);
    const circle = sortMembers(members);
    let next = 0;
    for (const partition of subscribedPartitions(members, partitionCounts)) {
      // Somebody subscribes to the topic, so this ends within one round.
      while (circle[next % circle.length]?.topics.includes(partition.topic) === false) next++;
      const member = circle[next++ % circle.length];
      if (member) assignment.get(member.memberId)?.push(partition);
    }
    return assignment;
  },
};
