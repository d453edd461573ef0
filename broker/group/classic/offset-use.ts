import { ConsumerSubscription, ProtocolError, readPrefixed } from '../../../protocol/index.js';
import type { OffsetUse } from '../group.js';
import { type GroupState, metadataFor } from './model.js';

/**
 * Which offsets a classic group still needs (KIP-211): without members, none since it lost the
 * last; with consumers, those of the topics that they subscribe to. During a rebalance, or with
 * members of another kind, it cannot be known.
 */
export function offsetUse(state: GroupState): OffsetUse {
  if (state.phase === 'Empty') {
    const never = state.protocolType === null;
    return { topics: new Set(), until: never ? 0 : state.phaseSince };
  }
  const isKnown = state.phase === 'Stable' && state.protocolType === 'consumer';
  return { topics: isKnown ? subscribedTopics(state) : 'all', until: 0 };
}

function subscribedTopics(state: GroupState): OffsetUse['topics'] {
  const topics = new Set<string>();
  try {
    for (const member of state.members.values()) {
      const subscription = metadataFor(member, state.protocol);
      for (const topic of readPrefixed(ConsumerSubscription, subscription).topics) {
        topics.add(topic);
      }
    }
  } catch (error) {
    if (error instanceof ProtocolError) return 'all';
    throw error;
  }
  return topics;
}
