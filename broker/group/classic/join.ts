import { ErrorCode } from '../../../protocol/index.js';
import { changeMember, type Draft, reply, replyJoinError, startTimer, stopTimer } from './draft.js';
import type { JoinEvent } from './events.js';
import { claimError } from './membership.js';
import { EMPTY_ASSIGNMENT, type Member, staticMember } from './model.js';
import { fits, sameProtocols } from './protocols.js';
import {
  answerWaiting,
  completeJoinIfAllJoined,
  joinReply,
  NEW_MEMBER_JOIN_TIMEOUT_MS,
  prepareRebalance,
} from './rebalance.js';
import { replaceStaticMember } from './static-member.js';

/** A member wants to be in the next generation. */
export function join(draft: Draft, event: JoinEvent): void {
  const predecessor =
    event.groupInstanceId === null ? undefined : staticMember(draft, event.groupInstanceId);
  const errorCode = admissionError(draft, event, predecessor);
  if (errorCode !== ErrorCode.NONE) {
    replyJoinError(draft, event.request, event.memberId, errorCode);
  } else if (event.memberId !== '') {
    joinKnown(draft, event);
  } else if (predecessor !== undefined) {
    const keepsAssignment = replaceStaticMember(draft, event, predecessor);
    if (!keepsAssignment) awaitJoin(draft, event, event.newMemberId);
  } else if (isFull(draft)) {
    replyJoinError(draft, event.request, '', ErrorCode.GROUP_MAX_SIZE_REACHED);
  } else if (event.groupInstanceId === null && event.requiresKnownMemberId) {
    draft.pendingMembers.add(event.newMemberId);
    startTimer(draft, `pending:${event.newMemberId}`, event.sessionTimeoutMs);
    replyJoinError(draft, event.request, event.newMemberId, ErrorCode.MEMBER_ID_REQUIRED);
  } else {
    addMember(draft, event, event.newMemberId);
  }
}

function admissionError(draft: Draft, event: JoinEvent, predecessor: Member | undefined): number {
  const { settings } = draft;
  const sessionTimeoutFits =
    event.sessionTimeoutMs >= settings.minSessionTimeoutMs &&
    event.sessionTimeoutMs <= settings.maxSessionTimeoutMs;
  if (!sessionTimeoutFits) return ErrorCode.INVALID_SESSION_TIMEOUT;
  if (draft.phase === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const replaced = event.memberId === '' ? (predecessor?.memberId ?? '') : event.memberId;
  const fitting = fits(draft, event.protocolType, event.protocols, replaced);
  return fitting ? ErrorCode.NONE : ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
}

function joinKnown(draft: Draft, event: JoinEvent): void {
  const { memberId, request } = event;
  if (draft.pendingMembers.has(memberId) && event.groupInstanceId === null) {
    draft.pendingMembers.delete(memberId);
    stopTimer(draft, `pending:${memberId}`);
    addMember(draft, event, memberId);
    return;
  }
  const errorCode = claimError(draft, event);
  const member = draft.members.get(memberId);
  if (errorCode !== ErrorCode.NONE || member === undefined) {
    replyJoinError(draft, request, memberId, errorCode);
    return;
  }
  const unchanged = sameProtocols(member, event.protocols);
  const answersAgain =
    (draft.phase === 'CompletingRebalance' && unchanged) ||
    (draft.phase === 'Stable' && unchanged && draft.leader !== memberId);
  if (answersAgain) {
    // The answer to its last request was lost on the way.
    reply(draft, request, joinReply(draft, member));
    return;
  }
  awaitJoin(draft, event, memberId);
}

function addMember(draft: Draft, event: JoinEvent, memberId: string): void {
  if (draft.members.size === 0) draft.protocolType = event.protocolType;
  draft.members.set(memberId, {
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
  });
  draft.leader ??= memberId;
  if (draft.initialDelay !== null) draft.initialDelay = { ...draft.initialDelay, joined: true };
  awaitJoin(draft, event, memberId);
}

/** The request now waits for the end of the join phase, which is begun where none is on. */
function awaitJoin(draft: Draft, event: JoinEvent, memberId: string): void {
  const before = draft.members.get(memberId);
  if (before !== undefined) answerWaiting(draft, before, ErrorCode.REBALANCE_IN_PROGRESS);
  const member = changeMember(draft, memberId, {
    protocols: event.protocols,
    sessionTimeoutMs: event.sessionTimeoutMs,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs,
    clientId: event.clientId,
    clientHost: event.clientHost,
    join: event.request,
    sync: null,
  });
  if (member.isNew) startTimer(draft, `session:${memberId}`, NEW_MEMBER_JOIN_TIMEOUT_MS);
  else stopTimer(draft, `session:${memberId}`);
  if (draft.phase === 'PreparingRebalance') completeJoinIfAllJoined(draft);
  else prepareRebalance(draft);
}

function isFull(draft: Draft): boolean {
  return draft.members.size + draft.pendingMembers.size >= draft.settings.maxSize;
}
