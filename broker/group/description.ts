import { EMPTY_ASSIGNMENT, type GroupState, metadataFor } from './classic/index.js';

/** A group as DescribeGroups shows it. */
interface GroupDescription {
  readonly groupId: string;
  readonly groupState: string;
  readonly protocolType: string;
  /** The protocol chosen; empty unless the group is Stable. */
  readonly protocolData: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly clientId: string;
    readonly clientHost: string;
    readonly memberMetadata: Buffer;
    readonly memberAssignment: Buffer;
  }[];
}

/** Subscriptions and assignments are told of a Stable group only: else they are in flux. */
export function describeGroup(state: GroupState): GroupDescription {
  const isStable = state.phase === 'Stable';
  return {
    groupId: state.groupId,
    groupState: state.phase,
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
