import { ErrorCode } from '../../../protocol/index.js';
import type { MemberClaim } from '../group.js';
import type { GroupEvent, LeaveEvent } from './events.js';
import { type GroupState, staticMember } from './model.js';
import { completeJoinIfAllJoined, dropMember, rebalanceOrCompleteJoin } from './rebalance.js';
import { reply, replyPlain, startTimer, stopTimer, type Turn } from './turn.js';

/** Whether the claim is that of a present member: UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID. */
export function claimError(
  state: GroupState,
  claim: Pick<MemberClaim, 'memberId' | 'groupInstanceId'>,
): number {
  if (claim.groupInstanceId !== null) {
    const current = staticMember(state, claim.groupInstanceId);
    if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
    if (current.memberId !== claim.memberId) return ErrorCode.FENCED_INSTANCE_ID;
  }
  return state.members.has(claim.memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
}

/** As `claimError`, and the member must know the present generation. */
export function generationError(state: GroupState, claim: MemberClaim): number {
  if (state.phase === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const errorCode = claimError(state, claim);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  return claim.generation === state.generation ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION;
}

export function heartbeat(turn: Turn, event: GroupEvent & { type: 'heartbeat' }): void {
  const { group } = turn;
  const errorCode = generationError(group, event);
  if (errorCode !== ErrorCode.NONE) {
    replyPlain(turn, event.request, errorCode);
    return;
  }
  keepAlive(turn, event.memberId);
  const joining = group.phase === 'PreparingRebalance';
  replyPlain(turn, event.request, joining ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE);
}

/** Allows an offset commit or refuses it; offsets may be stored without being a member. */
export function commit(turn: Turn, event: GroupEvent & { type: 'commit' }): void {
  const { group } = turn;
  const errorCode = commitError(group, event);
  const isMember = errorCode === ErrorCode.NONE && group.members.has(event.memberId);
  if (isMember) keepAlive(turn, event.memberId);
  replyPlain(turn, event.request, errorCode);
}

function commitError(group: GroupState, claim: MemberClaim): number {
  if (group.phase === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  if (claim.generation < 0 && group.phase === 'Empty') return ErrorCode.NONE;
  const anonymous = claim.generation < 0 && claim.memberId === '' && claim.groupInstanceId === null;
  // Somebody who is no member must not move the offsets of a group that has some.
  if (anonymous) return ErrorCode.UNKNOWN_MEMBER_ID;
  const errorCode = generationError(group, claim);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  const assigning = group.phase === 'CompletingRebalance';
  return assigning ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

/** Members leave of their own will, or an administrator removes static ones (KIP-345). */
export function leave(turn: Turn, event: LeaveEvent): void {
  const { group } = turn;
  if (group.phase === 'Dead') {
    reply(turn, event.request, {
      kind: 'leave',
      errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE,
      memberErrors: [],
    });
    return;
  }
  const membersBefore = group.members.size;
  const memberErrors = event.members.map((member) => leaveOne(turn, member));
  reply(turn, event.request, { kind: 'leave', errorCode: ErrorCode.NONE, memberErrors });
  const membersLeft = group.members.size < membersBefore;
  if (membersLeft) rebalanceOrCompleteJoin(turn);
  else if (group.phase === 'PreparingRebalance') completeJoinIfAllJoined(turn);
}

function leaveOne(turn: Turn, leaver: LeaveEvent['members'][number]): number {
  const { group } = turn;
  const { memberId, groupInstanceId } = leaver;
  if (groupInstanceId !== null && memberId === '') {
    const member = staticMember(group, groupInstanceId);
    if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
    dropMember(turn, member.memberId);
    return ErrorCode.NONE;
  }
  if (group.pendingMembers.delete(memberId)) {
    stopTimer(turn, `pending:${memberId}`);
    return ErrorCode.NONE;
  }
  const errorCode = claimError(group, leaver);
  if (errorCode === ErrorCode.NONE) dropMember(turn, memberId);
  return errorCode;
}

/** No heartbeat in time: the member is taken for dead. */
export function sessionTimeout(turn: Turn, memberId: string): void {
  const member = turn.group.members.get(memberId);
  const waits = member !== undefined && (member.join !== null || member.sync !== null);
  // Who waits for us cannot send heartbeats; a new member's wait alone is bounded.
  if (member === undefined || (waits && !member.isNew)) return;
  dropMember(turn, memberId);
  rebalanceOrCompleteJoin(turn);
}

/** Who was given a member id never came back with it. */
export function pendingTimeout(turn: Turn, memberId: string): void {
  const { group } = turn;
  const wasPending = group.pendingMembers.delete(memberId);
  if (wasPending && group.phase === 'PreparingRebalance') completeJoinIfAllJoined(turn);
}

function keepAlive(turn: Turn, memberId: string): void {
  const member = turn.group.members.get(memberId);
  if (member === undefined || member.join !== null || member.sync !== null) return;
  startTimer(turn, `session:${memberId}`, member.sessionTimeoutMs);
}
