import { ErrorCode } from '../../../protocol/index.js';
import type { JoinEvent } from './events.js';
import { claimError } from './membership.js';
import {
  EMPTY_ASSIGNMENT,
  type Member,
  type MutableGroup,
  staticMember,
  takeOver,
} from './model.js';
import { fits, sameProtocols } from './protocols.js';
import {
  answerWaiting,
  completeJoinIfAllJoined,
  joinReply,
  NEW_MEMBER_JOIN_TIMEOUT_MS,
  prepareRebalance,
} from './rebalance.js';
import { replaceStaticMember } from './static-member.js';
import { reply, replyJoinError, startTimer, stopTimer, type Turn } from './turn.js';

/** A member wants to be in the next generation. */
export function join(turn: Turn, event: JoinEvent): void {
  const { group } = turn;
  const predecessor =
    event.groupInstanceId === null ? undefined : staticMember(group, event.groupInstanceId);
  const errorCode = admissionError(group, event, predecessor);
  if (errorCode !== ErrorCode.NONE) {
    replyJoinError(turn, event.request, event.memberId, errorCode);
  } else if (event.memberId !== '') {
    joinKnown(turn, event);
  } else if (predecessor !== undefined) {
    const keepsAssignment = replaceStaticMember(turn, event, predecessor);
    const successor = group.members.get(event.newMemberId);
    if (!keepsAssignment && successor !== undefined) awaitJoin(turn, event, successor);
  } else if (isFull(group)) {
    replyJoinError(turn, event.request, '', ErrorCode.GROUP_MAX_SIZE_REACHED);
  } else if (event.groupInstanceId === null && event.requiresKnownMemberId) {
    group.pendingMembers.add(event.newMemberId);
    startTimer(turn, `pending:${event.newMemberId}`, event.sessionTimeoutMs);
    replyJoinError(turn, event.request, event.newMemberId, ErrorCode.MEMBER_ID_REQUIRED);
  } else {
    addMember(turn, event, event.newMemberId);
  }
}

function admissionError(
  group: MutableGroup,
  event: JoinEvent,
  predecessor: Member | undefined,
): number {
  const { settings } = group;
  const sessionTimeoutFits =
    event.sessionTimeoutMs >= settings.minSessionTimeoutMs &&
    event.sessionTimeoutMs <= settings.maxSessionTimeoutMs;
  if (!sessionTimeoutFits) return ErrorCode.INVALID_SESSION_TIMEOUT;
  if (group.phase === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const replaced = event.memberId === '' ? (predecessor?.memberId ?? '') : event.memberId;
  const fitting = fits(group, event.protocolType, event.protocols, replaced);
  return fitting ? ErrorCode.NONE : ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
}

function joinKnown(turn: Turn, event: JoinEvent): void {
  const { group } = turn;
  const { memberId, request } = event;
  if (group.pendingMembers.has(memberId) && event.groupInstanceId === null) {
    group.pendingMembers.delete(memberId);
    stopTimer(turn, `pending:${memberId}`);
    addMember(turn, event, memberId);
    return;
  }
  const errorCode = claimError(group, event);
  const member = group.members.get(memberId);
  if (errorCode !== ErrorCode.NONE || member === undefined) {
    replyJoinError(turn, request, memberId, errorCode);
    return;
  }
  const unchanged = sameProtocols(member, event.protocols);
  const answersAgain =
    (group.phase === 'CompletingRebalance' && unchanged) ||
    (group.phase === 'Stable' && unchanged && group.leader !== memberId);
  if (answersAgain) {
    // The answer to its last request was lost on the way.
    reply(turn, request, joinReply(group, member));
    return;
  }
  awaitJoin(turn, event, member);
}

function addMember(turn: Turn, event: JoinEvent, memberId: string): void {
  const { group } = turn;
  if (group.members.size === 0) group.protocolType = event.protocolType;
  const member: Member = {
    memberId,
    groupInstanceId: event.groupInstanceId,
    clientId: event.clientId,
    clientHost: event.clientHost,
    sessionTimeoutMs: event.sessionTimeoutMs,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs,
    protocols: event.protocols,
    assignment: EMPTY_ASSIGNMENT,
    join: null,
    sync: null,
    isNew: true,
    synced: false,
  };
  group.members.set(memberId, member);
  group.leader ??= memberId;
  if (group.initialDelay !== null) group.initialDelay = { ...group.initialDelay, joined: true };
  awaitJoin(turn, event, member);
}

/** The request now waits for the end of the join phase, which is begun where none is on. */
function awaitJoin(turn: Turn, event: JoinEvent, member: Member): void {
  const { memberId } = member;
  answerWaiting(turn, member, ErrorCode.REBALANCE_IN_PROGRESS);
  takeOver(member, event);
  member.join = event.request;
  member.sync = null;
  if (member.isNew) startTimer(turn, `session:${memberId}`, NEW_MEMBER_JOIN_TIMEOUT_MS);
  else stopTimer(turn, `session:${memberId}`);
  if (turn.group.phase === 'PreparingRebalance') completeJoinIfAllJoined(turn);
  else prepareRebalance(turn);
}

function isFull(group: MutableGroup): boolean {
  return group.members.size + group.pendingMembers.size >= group.settings.maxSize;
}
