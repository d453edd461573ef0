import {
  type Admin,
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  type TopicMetadata,
} from '../client/index.js';
import type { Clock } from '../system/index.js';

/** Rates are taken over at least so long. */
const SAMPLE_MS = 1_000;

/** A topic at a glance. */
export interface TopicFigures {
  readonly name: string;
  readonly partitions: number;
  readonly leaderless: number;
  /** Between the first and the last offset of each partition. */
  readonly records: number;
  /** Records that came in while it was looked. */
  readonly recordsPerSecond: number;
  /** On the broker's disk; undefined where its health does not tell. */
  readonly bytes: number | undefined;
}

/** The topics' figures, with the rate of about a second. `bytes` are sizes by topic. */
export async function topicFigures(
  admin: Admin,
  clock: Clock,
  topics: readonly TopicMetadata[],
  bytes: Readonly<Record<string, number>>,
): Promise<TopicFigures[]> {
  const starts = await offsetsOf(admin, topics, EARLIEST_TIMESTAMP);
  const from = clock.monotonic();
  const before = await offsetsOf(admin, topics, LATEST_TIMESTAMP);
  if (topics.length > 0) await clock.sleep(SAMPLE_MS);
  const ends = await offsetsOf(admin, topics, LATEST_TIMESTAMP);
  const seconds = Math.max(clock.monotonic() - from, 1) / 1_000;
  return topics.map(({ name, partitions }) => {
    const end = ends.get(name) ?? 0;
    return {
      name,
      partitions: partitions.length,
      leaderless: partitions.filter(({ leaderId }) => leaderId < 0).length,
      records: Math.max(end - (starts.get(name) ?? 0), 0),
      recordsPerSecond: Math.round(Math.max(end - (before.get(name) ?? end), 0) / seconds),
      bytes: bytes[name],
    };
  });
}

/** The sum of each topic's offsets at a place; partitions without a leader are left out. */
async function offsetsOf(
  admin: Admin,
  topics: readonly TopicMetadata[],
  timestamp: number,
): Promise<Map<string, number>> {
  const queries = topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ leaderId }) => leaderId >= 0)
      .map(({ partition }) => ({ topic: name, partition, timestamp })),
  );
  const sums = new Map<string, number>();
  for (const { topic, offset } of await admin.listOffsets(queries)) {
    sums.set(topic, (sums.get(topic) ?? 0) + Math.max(offset, 0));
  }
  return sums;
}
