import { ErrorCode } from '../../../protocol/index.js';
import { changeMember, type Draft, startTimer, stopTimer, store } from './draft.js';
import type { JoinEvent } from './events.js';
import { groupRecord, type Member } from './model.js';
import { selectProtocol } from './protocols.js';
import { answerWaiting, joinReply } from './rebalance.js';

/**
 * A restarted static member (KIP-345): it gets a new member id, which fences its predecessor.
 * Returns true where the group stays Stable and the member keeps its assignment; the answer then
 * follows once the new id is stored. Otherwise the caller makes it join like any member.
 */
export function replaceStaticMember(draft: Draft, event: JoinEvent, old: Member): boolean {
  const { newMemberId: memberId } = event;
  const oldLeader = draft.leader;
  answerWaiting(draft, old, ErrorCode.FENCED_INSTANCE_ID);
  stopTimer(draft, `session:${old.memberId}`);
  draft.members.delete(old.memberId);
  draft.members.set(memberId, { ...old, memberId, join: null, sync: null });
  if (oldLeader === old.memberId) draft.leader = memberId;
  const member = changeMember(draft, memberId, {
    protocols: event.protocols,
    sessionTimeoutMs: event.sessionTimeoutMs,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs,
    clientId: event.clientId,
    clientHost: event.clientHost,
  });
  if (draft.phase !== 'Stable' || selectProtocol(draft.members.values()) !== draft.protocol) {
    return false;
  }
  const isLeader = draft.leader === memberId;
  const reply = joinReply(draft, member);
  startTimer(draft, `session:${memberId}`, member.sessionTimeoutMs);
  const assignments = new Map([...draft.members].map(([id, { assignment }]) => [id, assignment]));
  store(draft, groupRecord(draft, assignments), {
    what: 'static member',
    request: event.request,
    reply: event.knowsSkipAssignment
      ? { ...reply, skipAssignment: isLeader }
      : // An older client that learned that it leads would assign anew: it hears of its old id.
        { ...reply, members: [], leader: oldLeader ?? '' },
  });
  return true;
}
