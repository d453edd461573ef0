import type { Assignment } from './sink.js';

type Stream = Pick<Assignment, 'topic' | 'topicId' | 'partition'>;

/** Names what a sink keeps of a partition in its folder. */
export function streamName({ topic, topicId, partition }: Stream): string {
  return `${topic}.${topicId}+${partition}`;
}

/** Ids in such names of topics that had this one's name, and were replaced. */
export function replacedIds(names: readonly string[], stream: Stream): string[] {
  const { topic, topicId, partition } = stream;
  const ids = names.map((name) => name.slice(topic.length + 1, -`+${partition}`.length));
  return ids.filter(
    (id, i) => id !== topicId && names[i] === streamName({ topic, topicId: id, partition }),
  );
}
