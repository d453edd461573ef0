import { ErrorCode } from '../../../protocol/index.js';
import {
  changeMember,
  type Draft,
  enter,
  joinError,
  reply,
  replyPlain,
  replySync,
  replySyncError,
  startTimer,
  stopTimer,
  store,
} from './draft.js';
import type { GroupEvent, SyncEvent } from './events.js';
import { generationError } from './membership.js';
import { EMPTY_ASSIGNMENT, groupRecord } from './model.js';
import { prepareRebalance } from './rebalance.js';

/** A member asks for its assignment; the leader brings everybody's. */
export function sync(draft: Draft, event: SyncEvent): void {
  const { request, memberId } = event;
  const errorCode = syncError(draft, event);
  if (errorCode !== ErrorCode.NONE) {
    replySyncError(draft, request, errorCode);
    return;
  }
  const before = draft.members.get(memberId)?.sync ?? null;
  if (before !== null) replySyncError(draft, before, ErrorCode.REBALANCE_IN_PROGRESS);
  const member = changeMember(draft, memberId, { synced: true });
  if (draft.phase === 'Stable') {
    replySync(draft, request, member.assignment);
    startTimer(draft, `session:${memberId}`, member.sessionTimeoutMs);
    stopSyncTimerIfAllSynced(draft);
    return;
  }
  changeMember(draft, memberId, { sync: request });
  stopTimer(draft, `session:${memberId}`);
  if (draft.leader === memberId && draft.storing === null) {
    draft.storing = event.assignments;
    const { generation } = draft;
    store(draft, groupRecord(draft, event.assignments), { what: 'assignment', generation });
  }
  stopSyncTimerIfAllSynced(draft);
}

function syncError(draft: Draft, event: SyncEvent): number {
  const errorCode = generationError(draft, event);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  const mismatch =
    (event.protocolType !== null && event.protocolType !== draft.protocolType) ||
    (event.protocol !== null && event.protocol !== draft.protocol);
  if (mismatch) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
  const joining = draft.phase === 'PreparingRebalance';
  return joining ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

/** A record of the group is in the log, or could not be written. */
export function stored(draft: Draft, event: GroupEvent & { type: 'stored' }): void {
  const { purpose, errorCode } = event;
  switch (purpose.what) {
    case 'assignment':
      assignmentStored(draft, purpose.generation, errorCode);
      break;
    case 'static member': {
      const failed = errorCode !== ErrorCode.NONE;
      const answer = failed ? joinError(purpose.reply.memberId, errorCode) : purpose.reply;
      reply(draft, purpose.request, answer);
      break;
    }
    case 'deletion':
      if (errorCode !== ErrorCode.NONE) enter(draft, 'Empty');
      replyPlain(draft, purpose.request, errorCode);
      break;
    case 'empty generation':
      // Should it be missing after a restart, the group comes back with members that time out.
      break;
  }
}

function assignmentStored(draft: Draft, generation: number, errorCode: number): void {
  const assignments = draft.storing;
  const current = draft.phase === 'CompletingRebalance' && draft.generation === generation;
  if (!current || assignments === null) return;
  draft.storing = null;
  if (errorCode === ErrorCode.NONE) enter(draft, 'Stable');
  for (const [memberId, member] of [...draft.members]) {
    const assignment = assignments.get(memberId) ?? EMPTY_ASSIGNMENT;
    changeMember(draft, memberId, {
      sync: null,
      assignment: errorCode === ErrorCode.NONE ? assignment : EMPTY_ASSIGNMENT,
    });
    if (member.sync === null) continue;
    if (errorCode === ErrorCode.NONE) replySync(draft, member.sync, assignment);
    else replySyncError(draft, member.sync, errorCode);
    startTimer(draft, `session:${memberId}`, member.sessionTimeoutMs);
  }
  if (errorCode !== ErrorCode.NONE) prepareRebalance(draft);
}

function stopSyncTimerIfAllSynced(draft: Draft): void {
  for (const member of draft.members.values()) if (!member.synced) return;
  stopTimer(draft, 'sync');
}
