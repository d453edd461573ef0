import { ErrorCode } from '../../../protocol/index.js';
import {
  changeMember,
  type Draft,
  enter,
  reply,
  replyJoinError,
  replySyncError,
  startTimer,
  stopTimer,
  store,
} from './draft.js';
import type { JoinReply } from './events.js';
import { groupRecord, type Member, metadataFor } from './model.js';
import { selectProtocol } from './protocols.js';

/** A member that is not heard of again while its first JoinGroup waits is dropped after this. */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 300_000;

/** Makes every member join again; the join phase ends when all have, or at its timeout. */
export function prepareRebalance(draft: Draft): void {
  if (draft.phase === 'CompletingRebalance') abandonSync(draft);
  stopTimer(draft, 'sync');
  const first = draft.phase === 'Empty';
  enter(draft, 'PreparingRebalance');
  const timeoutMs = rebalanceTimeoutMs(draft);
  const delayMs = Math.min(draft.settings.initialRebalanceDelayMs, timeoutMs);
  if (first && delayMs > 0) {
    draft.initialDelay = { remainingMs: timeoutMs - delayMs, joined: false };
    startTimer(draft, 'join', delayMs);
    return;
  }
  startTimer(draft, 'join', timeoutMs);
  completeJoinIfAllJoined(draft);
}

/** Starts a rebalance where there is a generation to end, else looks whether all have joined. */
export function rebalanceOrCompleteJoin(draft: Draft): void {
  if (draft.phase === 'PreparingRebalance') completeJoinIfAllJoined(draft);
  else if (draft.phase === 'Stable' || draft.phase === 'CompletingRebalance') {
    prepareRebalance(draft);
  }
}

/** The join phase's timer has fired: more delay at a group's start, else the phase's end. */
export function joinTimeout(draft: Draft): void {
  if (draft.phase !== 'PreparingRebalance') return;
  const delay = draft.initialDelay;
  if (delay?.joined && delay.remainingMs > 0) {
    const nextMs = Math.min(draft.settings.initialRebalanceDelayMs, delay.remainingMs);
    draft.initialDelay = { remainingMs: delay.remainingMs - nextMs, joined: false };
    startTimer(draft, 'join', nextMs);
    return;
  }
  draft.initialDelay = null;
  completeJoin(draft);
}

/** Members that got their assignment's request in must not wait for ever: those that did not go. */
export function syncTimeout(draft: Draft): void {
  if (draft.phase !== 'CompletingRebalance' && draft.phase !== 'Stable') return;
  const late = [...draft.members.values()].filter((member) => !member.synced);
  if (late.length === 0) return;
  for (const { memberId } of late) dropMember(draft, memberId);
  prepareRebalance(draft);
}

/** Takes a member out and answers what it waits for; the caller rebalances. */
export function dropMember(draft: Draft, memberId: string): void {
  const member = draft.members.get(memberId);
  if (member === undefined) return;
  draft.members.delete(memberId);
  stopTimer(draft, `session:${memberId}`);
  answerWaiting(draft, member, ErrorCode.UNKNOWN_MEMBER_ID);
  if (draft.leader === memberId) draft.leader = draft.members.keys().next().value ?? null;
}

/** Answers whatever the member waits for with an error. */
export function answerWaiting(draft: Draft, member: Member, errorCode: number): void {
  if (member.join !== null) replyJoinError(draft, member.join, member.memberId, errorCode);
  if (member.sync !== null) replySyncError(draft, member.sync, errorCode);
}

/** What a member is told of the present generation. */
export function joinReply(draft: Draft, member: Member): JoinReply {
  const { memberId } = member;
  return {
    kind: 'join',
    errorCode: ErrorCode.NONE,
    memberId,
    generation: draft.generation,
    protocolType: draft.protocolType,
    protocol: draft.protocol,
    leader: draft.leader ?? '',
    members: memberId === draft.leader ? membersForLeader(draft) : [],
    skipAssignment: false,
  };
}

export function completeJoinIfAllJoined(draft: Draft): void {
  if (draft.initialDelay !== null || draft.pendingMembers.size > 0) return;
  for (const member of draft.members.values()) if (member.join === null) return;
  completeJoin(draft);
}

function completeJoin(draft: Draft): void {
  for (const member of [...draft.members.values()]) {
    const gone = member.join === null && member.groupInstanceId === null;
    if (gone) dropMember(draft, member.memberId);
  }
  if (!electLeader(draft)) {
    // Only static members are left and none is back: their sessions decide, not this phase.
    startTimer(draft, 'join', rebalanceTimeoutMs(draft));
    return;
  }
  stopTimer(draft, 'join');
  draft.generation += 1;
  if (draft.members.size === 0) {
    enter(draft, 'Empty');
    draft.protocol = null;
    store(draft, groupRecord(draft, new Map()), { what: 'empty generation' });
    return;
  }
  enter(draft, 'CompletingRebalance');
  draft.protocol = selectProtocol(draft.members.values());
  for (const member of draft.members.values()) answerJoin(draft, member);
  startTimer(draft, 'sync', rebalanceTimeoutMs(draft));
}

function answerJoin(draft: Draft, member: Member): void {
  const { memberId, join } = member;
  changeMember(draft, memberId, { join: null, isNew: false, synced: false });
  if (join === null) return;
  reply(draft, join, joinReply(draft, member));
  startTimer(draft, `session:${memberId}`, member.sessionTimeoutMs);
}

/** A leader is a member that has joined this phase; false where members exist but none has. */
function electLeader(draft: Draft): boolean {
  if (draft.members.size === 0) {
    draft.leader = null;
    return true;
  }
  const present = draft.leader === null ? undefined : draft.members.get(draft.leader);
  if (present !== undefined && present.join !== null) return true;
  for (const member of draft.members.values()) {
    if (member.join === null) continue;
    draft.leader = member.memberId;
    return true;
  }
  return false;
}

function abandonSync(draft: Draft): void {
  draft.storing = null;
  for (const { memberId, sync, sessionTimeoutMs } of [...draft.members.values()]) {
    if (sync === null) continue;
    replySyncError(draft, sync, ErrorCode.REBALANCE_IN_PROGRESS);
    changeMember(draft, memberId, { sync: null });
    startTimer(draft, `session:${memberId}`, sessionTimeoutMs);
  }
}

function rebalanceTimeoutMs(draft: Draft): number {
  let timeoutMs = 0;
  for (const member of draft.members.values()) {
    timeoutMs = Math.max(timeoutMs, member.rebalanceTimeoutMs);
  }
  return timeoutMs;
}

function membersForLeader(draft: Draft): JoinReply['members'] {
  return [...draft.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataFor(member, draft.protocol),
  }));
}
