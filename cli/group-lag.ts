import { type Admin, LATEST_TIMESTAMP } from '../client/index.js';

/** How far a group has come in one partition. */
export interface GroupLag {
  readonly topic: string;
  readonly partition: number;
  /** The next offset it will read. */
  readonly committed: number;
  /** -1 where the topic is gone. */
  readonly end: number;
  /** Records between the two; -1 where it cannot be known. */
  readonly lag: number;
}

/** The lag of a group in every partition for which it has committed an offset. */
export async function lagsOf(admin: Admin, groupId: string): Promise<GroupLag[]> {
  const committed = await admin.groupOffsets(groupId);
  const existing = new Set((await admin.listTopics()).map(({ name }) => name));
  const queries = committed
    .filter(({ topic }) => existing.has(topic))
    .map(({ topic, partition }) => ({ topic, partition, timestamp: LATEST_TIMESTAMP }));
  const ends = new Map(
    (await admin.listOffsets(queries)).map((end) => [`${end.topic}/${end.partition}`, end.offset]),
  );
  return committed
    .map(({ topic, partition, offset }) => {
      const end = ends.get(`${topic}/${partition}`) ?? -1;
      const lag = end < 0 ? -1 : Math.max(end - offset, 0);
      return { topic, partition, committed: offset, end, lag };
    })
    .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
}
