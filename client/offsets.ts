import { ErrorCode, ListOffsets } from '../protocol/index.js';
import type { Cluster } from './cluster.js';
import { assertNoError, BrokerError } from './errors.js';
import type { RetryOptions } from './retry.js';
import { byTopic } from './topic-partition.js';

/** Asks for the first offset in the log. */
export const EARLIEST_TIMESTAMP = -2;
/** Asks for the end: the offset the next record will get. */
export const LATEST_TIMESTAMP = -1;

/** Which offset is wanted of a partition. */
export interface OffsetQuery {
  readonly topic: string;
  readonly partition: number;
  /** The first record at or after this time (ms since the epoch), or one of the two above. */
  readonly timestamp: number;
}

/** The answer to a query. */
export interface FoundOffset {
  readonly topic: string;
  readonly partition: number;
  /** -1: no record is that late. */
  readonly offset: number;
  /** The record's own time; -1 where the query named none. */
  readonly timestamp: number;
}

/** How offsets are looked up. */
export interface ListOffsetsOptions extends RetryOptions {
  /** `latest` is then the last stable offset. */
  readonly readCommitted?: boolean;
}

/** Looks offsets up at the partitions' leaders; repeats what fails until all are known. */
export async function listOffsets(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  options: ListOffsetsOptions = {},
): Promise<FoundOffset[]> {
  const found = new Map<OffsetQuery, FoundOffset>();
  await cluster.retry('list offsets', options, async () => {
    const open = queries.filter((query) => !found.has(query));
    const answers = await Promise.allSettled(
      requestsOf(cluster, open).map((group) =>
        askLeader(cluster, group, options.readCommitted === true, found),
      ),
    );
    const failure = answers.find((answer) => answer.status === 'rejected');
    if (failure === undefined) return;
    await cluster.refresh(open.map((query) => query.topic)).catch(() => {});
    throw failure.reason;
  });
  return queries.map((query) => found.get(query) as FoundOffset);
}

/** Groups that can each be asked in one request: a leader takes a partition only once. */
function requestsOf(cluster: Cluster, queries: readonly OffsetQuery[]): OffsetQuery[][] {
  const groups = new Map<string, OffsetQuery[]>();
  const occurrences = new Map<string, number>();
  for (const query of queries) {
    const { topic, partition } = query;
    const nth = occurrences.get(`${topic}/${partition}`) ?? 0;
    occurrences.set(`${topic}/${partition}`, nth + 1);
    const key = `${cluster.partition(topic, partition)?.leaderId}/${nth}`;
    const group = groups.get(key);
    if (group) group.push(query);
    else groups.set(key, [query]);
  }
  return [...groups.values()];
}

async function askLeader(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  readCommitted: boolean,
  found: Map<OffsetQuery, FoundOffset>,
): Promise<void> {
  const [first] = queries;
  if (first === undefined) return;
  const leaderId = cluster.partition(first.topic, first.partition)?.leaderId ?? -1;
  if (leaderId === -1) {
    const topic = cluster.image.topics.get(first.topic);
    const errorCode = topic?.errorCode || ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    throw new BrokerError(errorCode, `topic ${first.topic}, partition ${first.partition}`);
  }
  const response = await cluster.ask(leaderId, ListOffsets, {
    replicaId: -1,
    isolationLevel: readCommitted ? 1 : 0,
    topics: [...byTopic(queries)].map(([name, group]) => ({
      name,
      partitions: group.map(({ partition, timestamp }) => ({
        partitionIndex: partition,
        timestamp,
      })),
    })),
    timeoutMs: 30_000,
  });
  const unanswered = [...queries];
  for (const topic of response.topics) {
    for (const { partitionIndex, errorCode, offset, timestamp } of topic.partitions) {
      const index = unanswered.findIndex(
        (query) => query.topic === topic.name && query.partition === partitionIndex,
      );
      const [query] = index < 0 ? [] : unanswered.splice(index, 1);
      if (query === undefined) continue;
      assertNoError(errorCode, `topic ${topic.name}, partition ${partitionIndex}`);
      found.set(query, { topic: topic.name, partition: partitionIndex, offset, timestamp });
    }
  }
}
