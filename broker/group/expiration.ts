import { ConsumerSubscription, ProtocolError, readPrefixed } from '../../protocol/index.js';
import { type GroupState, metadataFor } from './classic/index.js';
import type { CommittedOffset, CommittedOffsets, TopicPartition } from './committed-offsets.js';

/**
 * The offsets that nobody has used for the retention time (KIP-211): in a group that has lost
 * its members, since then or since the commit; in one that never had any, since the commit; in a
 * group with consumers, those of topics that none of them subscribes to.
 *
 * @param now milliseconds since the epoch
 */
export function expiredOffsets(
  state: GroupState,
  offsets: CommittedOffsets,
  retentionMs: number,
  now: number,
): TopicPartition[] {
  const emptySince = state.phase === 'Empty' ? state.phaseSince : undefined;
  const inUse = emptySince === undefined ? subscribedTopics(state) : new Set<string>();
  if (inUse === undefined) return [];
  const lastUse = ({ commitTimestamp }: CommittedOffset): number =>
    state.protocolType === null ? commitTimestamp : Math.max(emptySince ?? 0, commitTimestamp);
  const expired: TopicPartition[] = [];
  for (const { topic, partition, value } of offsets.entries()) {
    if (inUse.has(topic)) continue;
    const expiresAt =
      value.expireTimestamp >= 0 ? value.expireTimestamp : lastUse(value) + retentionMs;
    if (expiresAt <= now) expired.push({ topic, partition });
  }
  return expired;
}

/** Undefined where it cannot be known: during a rebalance, or with members of another kind. */
function subscribedTopics(state: GroupState): ReadonlySet<string> | undefined {
  if (state.phase !== 'Stable' || state.protocolType !== 'consumer') return undefined;
  const topics = new Set<string>();
  try {
    for (const member of state.members.values()) {
      const subscription = metadataFor(member, state.protocol);
      for (const topic of readPrefixed(ConsumerSubscription, subscription).topics) {
        topics.add(topic);
      }
    }
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
  return topics;
}
