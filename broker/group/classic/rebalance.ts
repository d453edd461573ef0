import { ErrorCode } from '../../../protocol/index.js';
import type { JoinReply } from './events.js';
import {
  type GroupState,
  groupRecord,
  type Member,
  type MutableGroup,
  metadataFor,
} from './model.js';
import { selectProtocol } from './protocols.js';
import {
  enter,
  reply,
  replyJoinError,
  replySyncError,
  startTimer,
  stopTimer,
  store,
  type Turn,
} from './turn.js';

/** A member that is not heard of again while its first JoinGroup waits is dropped after this. */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 300_000;

/** Makes every member join again; the join phase ends when all have, or at its timeout. */
export function prepareRebalance(turn: Turn): void {
  const { group } = turn;
  if (group.phase === 'CompletingRebalance') abandonSync(turn);
  stopTimer(turn, 'sync');
  const first = group.phase === 'Empty';
  enter(turn, 'PreparingRebalance');
  const timeoutMs = rebalanceTimeoutMs(group);
  const delayMs = Math.min(group.settings.initialRebalanceDelayMs, timeoutMs);
  if (first && delayMs > 0) {
    group.initialDelay = { remainingMs: timeoutMs - delayMs, joined: false };
    startTimer(turn, 'join', delayMs);
    return;
  }
  startTimer(turn, 'join', timeoutMs);
  completeJoinIfAllJoined(turn);
}

/** Starts a rebalance where there is a generation to end, else looks whether all have joined. */
export function rebalanceOrCompleteJoin(turn: Turn): void {
  const { group } = turn;
  if (group.phase === 'PreparingRebalance') completeJoinIfAllJoined(turn);
  else if (group.phase === 'Stable' || group.phase === 'CompletingRebalance') {
    prepareRebalance(turn);
  }
}

/** The join phase's timer has fired: more delay at a group's start, else the phase's end. */
export function joinTimeout(turn: Turn): void {
  const { group } = turn;
  if (group.phase !== 'PreparingRebalance') return;
  const delay = group.initialDelay;
  if (delay?.joined && delay.remainingMs > 0) {
    const nextMs = Math.min(group.settings.initialRebalanceDelayMs, delay.remainingMs);
    group.initialDelay = { remainingMs: delay.remainingMs - nextMs, joined: false };
    startTimer(turn, 'join', nextMs);
    return;
  }
  group.initialDelay = null;
  completeJoin(turn);
}

/** Members that got their assignment's request in must not wait for ever: those that did not go. */
export function syncTimeout(turn: Turn): void {
  const { group } = turn;
  if (group.phase !== 'CompletingRebalance' && group.phase !== 'Stable') return;
  const late = [...group.members.values()].filter((member) => !member.synced);
  if (late.length === 0) return;
  for (const { memberId } of late) dropMember(turn, memberId);
  prepareRebalance(turn);
}

/** Takes a member out and answers what it waits for; the caller rebalances. */
export function dropMember(turn: Turn, memberId: string): void {
  const { group } = turn;
  const member = group.members.get(memberId);
  if (member === undefined) return;
  group.members.delete(memberId);
  stopTimer(turn, `session:${memberId}`);
  answerWaiting(turn, member, ErrorCode.UNKNOWN_MEMBER_ID);
  if (group.leader === memberId) group.leader = group.members.keys().next().value ?? null;
}

/** Answers whatever the member waits for with an error. */
export function answerWaiting(turn: Turn, member: Member, errorCode: number): void {
  if (member.join !== null) replyJoinError(turn, member.join, member.memberId, errorCode);
  if (member.sync !== null) replySyncError(turn, member.sync, errorCode);
}

/** What a member is told of the present generation. */
export function joinReply(group: GroupState, member: Member): JoinReply {
  const { memberId } = member;
  return {
    kind: 'join',
    errorCode: ErrorCode.NONE,
    memberId,
    generation: group.generation,
    protocolType: group.protocolType,
    protocol: group.protocol,
    leader: group.leader ?? '',
    members: memberId === group.leader ? membersForLeader(group) : [],
    skipAssignment: false,
  };
}

export function completeJoinIfAllJoined(turn: Turn): void {
  const { group } = turn;
  if (group.initialDelay !== null || group.pendingMembers.size > 0) return;
  for (const member of group.members.values()) if (member.join === null) return;
  completeJoin(turn);
}

function completeJoin(turn: Turn): void {
  const { group } = turn;
  for (const member of [...group.members.values()]) {
    const gone = member.join === null && member.groupInstanceId === null;
    if (gone) dropMember(turn, member.memberId);
  }
  if (!electLeader(group)) {
    // Only static members are left and none is back: their sessions decide, not this phase.
    startTimer(turn, 'join', rebalanceTimeoutMs(group));
    return;
  }
  stopTimer(turn, 'join');
  group.generation += 1;
  if (group.members.size === 0) {
    enter(turn, 'Empty');
    group.protocol = null;
    store(turn, groupRecord(group, new Map()), { what: 'empty generation' });
    return;
  }
  enter(turn, 'CompletingRebalance');
  group.protocol = selectProtocol(group.members.values());
  for (const member of group.members.values()) answerJoin(turn, member);
  startTimer(turn, 'sync', rebalanceTimeoutMs(group));
}

function answerJoin(turn: Turn, member: Member): void {
  const { join } = member;
  member.join = null;
  member.isNew = false;
  member.synced = false;
  if (join === null) return;
  reply(turn, join, joinReply(turn.group, member));
  startTimer(turn, `session:${member.memberId}`, member.sessionTimeoutMs);
}

/** A leader is a member that has joined this phase; false where members exist but none has. */
function electLeader(group: MutableGroup): boolean {
  if (group.members.size === 0) {
    group.leader = null;
    return true;
  }
  const present = group.leader === null ? undefined : group.members.get(group.leader);
  if (present !== undefined && present.join !== null) return true;
  for (const member of group.members.values()) {
    if (member.join === null) continue;
    group.leader = member.memberId;
    return true;
  }
  return false;
}

function abandonSync(turn: Turn): void {
  const { group } = turn;
  group.storing = null;
  for (const member of group.members.values()) {
    if (member.sync === null) continue;
    replySyncError(turn, member.sync, ErrorCode.REBALANCE_IN_PROGRESS);
    member.sync = null;
    startTimer(turn, `session:${member.memberId}`, member.sessionTimeoutMs);
  }
}

function rebalanceTimeoutMs(group: GroupState): number {
  let timeoutMs = 0;
  for (const member of group.members.values()) {
    timeoutMs = Math.max(timeoutMs, member.rebalanceTimeoutMs);
  }
  return timeoutMs;
}

function membersForLeader(group: GroupState): JoinReply['members'] {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataFor(member, group.protocol),
  }));
}
