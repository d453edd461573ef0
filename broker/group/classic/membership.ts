import { ErrorCode } from '../../../protocol/index.js';
import { type Draft, reply, replyPlain, startTimer, stopTimer } from './draft.js';
import type { GroupEvent, LeaveEvent, MemberClaim } from './events.js';
import { type GroupState, staticMember } from './model.js';
import { completeJoinIfAllJoined, dropMember, rebalanceOrCompleteJoin } from './rebalance.js';

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

export function heartbeat(draft: Draft, event: GroupEvent & { type: 'heartbeat' }): void {
  const errorCode = generationError(draft, event);
  if (errorCode !== ErrorCode.NONE) {
    replyPlain(draft, event.request, errorCode);
    return;
  }
  keepAlive(draft, event.memberId);
  const joining = draft.phase === 'PreparingRebalance';
  replyPlain(draft, event.request, joining ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE);
}

/** Allows an offset commit or refuses it; offsets may be stored without being a member. */
export function commit(draft: Draft, event: GroupEvent & { type: 'commit' }): void {
  const errorCode = commitError(draft, event);
  if (errorCode !== ErrorCode.NONE) {
    replyPlain(draft, event.request, errorCode);
    return;
  }
  if (draft.members.has(event.memberId)) keepAlive(draft, event.memberId);
  draft.effects.push({ type: 'store offsets', request: event.request });
}

function commitError(draft: Draft, claim: MemberClaim): number {
  if (draft.phase === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  if (claim.generation < 0 && draft.phase === 'Empty') return ErrorCode.NONE;
  const anonymous = claim.generation < 0 && claim.memberId === '' && claim.groupInstanceId === null;
  // Somebody who is no member must not move the offsets of a group that has some.
  if (anonymous) return ErrorCode.UNKNOWN_MEMBER_ID;
  const errorCode = generationError(draft, claim);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  const assigning = draft.phase === 'CompletingRebalance';
  return assigning ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

/** Members leave of their own will, or an administrator removes static ones (KIP-345). */
export function leave(draft: Draft, event: LeaveEvent): void {
  if (draft.phase === 'Dead') {
    reply(draft, event.request, {
      kind: 'leave',
      errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE,
      memberErrors: [],
    });
    return;
  }
  const membersBefore = draft.members.size;
  const memberErrors = event.members.map((member) => leaveOne(draft, member));
  reply(draft, event.request, { kind: 'leave', errorCode: ErrorCode.NONE, memberErrors });
  const membersLeft = draft.members.size < membersBefore;
  if (membersLeft) rebalanceOrCompleteJoin(draft);
  else if (draft.phase === 'PreparingRebalance') completeJoinIfAllJoined(draft);
}

function leaveOne(draft: Draft, leaver: LeaveEvent['members'][number]): number {
  const { memberId, groupInstanceId } = leaver;
  if (groupInstanceId !== null && memberId === '') {
    const member = staticMember(draft, groupInstanceId);
    if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
    dropMember(draft, member.memberId);
    return ErrorCode.NONE;
  }
  if (draft.pendingMembers.delete(memberId)) {
    stopTimer(draft, `pending:${memberId}`);
    return ErrorCode.NONE;
  }
  const errorCode = claimError(draft, leaver);
  if (errorCode === ErrorCode.NONE) dropMember(draft, memberId);
  return errorCode;
}

/** No heartbeat in time: the member is taken for dead. */
export function sessionTimeout(draft: Draft, memberId: string): void {
  const member = draft.members.get(memberId);
  const waits = member !== undefined && (member.join !== null || member.sync !== null);
  // Who waits for us cannot send heartbeats; a new member's wait alone is bounded.
  if (member === undefined || (waits && !member.isNew)) return;
  dropMember(draft, memberId);
  rebalanceOrCompleteJoin(draft);
}

/** Who was given a member id never came back with it. */
export function pendingTimeout(draft: Draft, memberId: string): void {
  const wasPending = draft.pendingMembers.delete(memberId);
  if (wasPending && draft.phase === 'PreparingRebalance') completeJoinIfAllJoined(draft);
}

function keepAlive(draft: Draft, memberId: string): void {
  const member = draft.members.get(memberId);
  if (member === undefined || member.join !== null || member.sync !== null) return;
  startTimer(draft, `session:${memberId}`, member.sessionTimeoutMs);
}
