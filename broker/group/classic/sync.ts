import { ErrorCode } from '../../../protocol/index.js';
import type { GroupEvent, SyncEvent } from './events.js';
import { generationError } from './membership.js';
import { EMPTY_ASSIGNMENT, type GroupState, groupRecord } from './model.js';
import { prepareRebalance } from './rebalance.js';
import {
  enter,
  joinError,
  reply,
  replyPlain,
  replySync,
  replySyncError,
  startTimer,
  stopTimer,
  store,
  type Turn,
} from './turn.js';

/** A member asks for its assignment; the leader brings everybody's. */
export function sync(turn: Turn, event: SyncEvent): void {
  const { group } = turn;
  const { request, memberId } = event;
  const errorCode = syncError(group, event);
  const member = group.members.get(memberId);
  if (errorCode !== ErrorCode.NONE || member === undefined) {
    replySyncError(turn, request, errorCode);
    return;
  }
  if (member.sync !== null) replySyncError(turn, member.sync, ErrorCode.REBALANCE_IN_PROGRESS);
  member.synced = true;
  if (group.phase === 'Stable') {
    replySync(turn, request, member.assignment);
    startTimer(turn, `session:${memberId}`, member.sessionTimeoutMs);
    stopSyncTimerIfAllSynced(turn);
    return;
  }
  member.sync = request;
  stopTimer(turn, `session:${memberId}`);
  if (group.leader === memberId && group.storing === null) {
    group.storing = event.assignments;
    const { generation } = group;
    store(turn, groupRecord(group, event.assignments), { what: 'assignment', generation });
  }
  stopSyncTimerIfAllSynced(turn);
}

function syncError(group: GroupState, event: SyncEvent): number {
  const errorCode = generationError(group, event);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  const mismatch =
    (event.protocolType !== null && event.protocolType !== group.protocolType) ||
    (event.protocol !== null && event.protocol !== group.protocol);
  if (mismatch) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  const joining = group.phase === 'PreparingRebalance';
  return joining ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

/** A record of the group is in the log, or could not be written. */
export function stored(turn: Turn, event: GroupEvent & { type: 'stored' }): void {
  const { purpose, errorCode } = event;
  switch (purpose.what) {
    case 'assignment':
      assignmentStored(turn, purpose.generation, errorCode);
      break;
    case 'static member': {
      const failed = errorCode !== ErrorCode.NONE;
      const answer = failed ? joinError(purpose.reply.memberId, errorCode) : purpose.reply;
      reply(turn, purpose.request, answer);
      break;
    }
    case 'deletion':
      if (errorCode !== ErrorCode.NONE) enter(turn, 'Empty');
      replyPlain(turn, purpose.request, errorCode);
      break;
    case 'empty generation':
      // Should it be missing after a restart, the group comes back with members that time out.
      break;
  }
}

function assignmentStored(turn: Turn, generation: number, errorCode: number): void {
  const { group } = turn;
  const assignments = group.storing;
  const current = group.phase === 'CompletingRebalance' && group.generation === generation;
  if (!current || assignments === null) return;
  group.storing = null;
  if (errorCode === ErrorCode.NONE) enter(turn, 'Stable');
  for (const [memberId, member] of group.members) {
    const { sync } = member;
    member.sync = null;
    member.assignment =
      errorCode === ErrorCode.NONE
        ? (assignments.get(memberId) ?? EMPTY_ASSIGNMENT)
        : EMPTY_ASSIGNMENT;
    if (sync === null) continue;
    if (errorCode === ErrorCode.NONE) replySync(turn, sync, member.assignment);
    else replySyncError(turn, sync, errorCode);
    startTimer(turn, `session:${memberId}`, member.sessionTimeoutMs);
  }
  if (errorCode !== ErrorCode.NONE) prepareRebalance(turn);
}

function stopSyncTimerIfAllSynced(turn: Turn): void {
  for (const member of turn.group.members.values()) if (!member.synced) return;
  stopTimer(turn, 'sync');
}
