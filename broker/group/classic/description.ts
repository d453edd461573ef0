import type { GroupDescription } from '../group.js';
import { EMPTY_ASSIGNMENT, type GroupState, metadataFor } from './model.js';

/** Subscriptions and assignments are told of a Stable group only: else they are in flux. */
export function describeGroup(state: GroupState): GroupDescription {
  const isStable = state.phase === 'Stable';
  return {
    protocolType: state.protocolType ?? '',
    protocolData: isStable ? (state.protocol ?? '') : '',
    members: [...state.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? metadataFor(member, state.protocol) : EMPTY_ASSIGNMENT,
      memberAssignment: isStable ? member.assignment : EMPTY_ASSIGNMENT,
    })),
  };
}
