import {
  type ClassicGroup,
  classic,
  type GroupCoordinator,
  type GroupState,
  type JoinRequest,
  type MemberClaim,
  refusal,
} from '../../../broker/group/index.js';

/** The classic APIs of a coordinator, as the handlers put them together. */
export function classicApis(coordinator: GroupCoordinator) {
  const of = (groupId: string) => coordinator.of(classic, groupId);
  return {
    join: async (groupId: string, request: JoinRequest) => {
      const { group, errorCode } = of(groupId);
      return group?.join(request) ?? refusal('join', errorCode);
    },
    sync: async (groupId: string, request: Parameters<ClassicGroup['sync']>[0]) => {
      const { group, errorCode } = of(groupId);
      return group?.sync(request) ?? refusal('sync', errorCode);
    },
    heartbeat: async (groupId: string, claim: MemberClaim) => {
      const { group, errorCode } = of(groupId);
      return group?.heartbeat(claim) ?? errorCode;
    },
    leave: async (groupId: string, members: Parameters<ClassicGroup['leave']>[0]) => {
      const { group, errorCode } = of(groupId);
      return group?.leave(members) ?? refusal('leave', errorCode);
    },
    /** Undefined where there is no such group. */
    state: (groupId: string): GroupState | undefined => {
      const { group } = coordinator.find(groupId);
      return group !== undefined && classic.owns(group) ? group.state : undefined;
    },
  };
}
