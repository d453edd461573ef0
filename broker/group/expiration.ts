import type { CommittedOffset, CommittedOffsets, TopicPartition } from './committed-offsets.js';
import type { OffsetUse } from './group.js';

/**
 * The offsets that nobody has used for the retention time (KIP-211), counted from the commit or
 * from when the group last needed them.
 *
 * @param now milliseconds since the epoch
 */
export function expiredOffsets(
  { topics, until }: OffsetUse,
  offsets: CommittedOffsets,
  retentionMs: number,
  now: number,
): TopicPartition[] {
  if (topics === 'all') return [];
  const expiresAt = ({ expireTimestamp, commitTimestamp }: CommittedOffset): number =>
    expireTimestamp >= 0 ? expireTimestamp : Math.max(until, commitTimestamp) + retentionMs;
  const expired: TopicPartition[] = [];
  for (const { topic, partition, value } of offsets.entries()) {
    if (!topics.has(topic) && expiresAt(value) <= now) expired.push({ topic, partition });
  }
  return expired;
}
