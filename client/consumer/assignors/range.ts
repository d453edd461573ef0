import { type Assignor, emptyAssignment, sortMembers } from './assignor.js';

/**
 * Per topic, neighbouring partitions to each member in turn, the first members one more: partition
 * n of equally partitioned topics goes to the same member.
 */
export const range: Assignor = {
  name: 'range',
  userData: () => null,
  assign: (members, partitionCounts) => {
    const assignment = emptyAssignment(members);
    const sorted = sortMembers(members);
    for (const [topic, count] of partitionCounts) {
      const subscribers = sorted.filter((member) => member.topics.includes(topic));
      const share = Math.floor(count / subscribers.length);
      const withOneMore = count % subscribers.length;
      let partition = 0;
      for (const [index, member] of subscribers.entries()) {
        const end = partition + share + (index < withOneMore ? 1 : 0);
        const mine = assignment.get(member.memberId);
        for (; partition < end; partition++) mine?.push({ topic, partition });
      }
    }
    return assignment;
  },
};
