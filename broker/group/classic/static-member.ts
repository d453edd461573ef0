import { ErrorCode } from '../../../protocol/index.js';
import type { JoinEvent } from './events.js';
import { groupRecord, type Member, takeOver } from './model.js';
import { selectProtocol } from './protocols.js';
import { answerWaiting, joinReply } from './rebalance.js';
import { startTimer, stopTimer, store, type Turn } from './turn.js';

/**
 * A restarted static member (KIP-345): it gets a new member id, which fences its predecessor.
 * Returns true where the group stays Stable and the member keeps its assignment; the answer then
 * follows once the new id is stored. Otherwise the caller makes it join like any member.
 */
export function replaceStaticMember(turn: Turn, event: JoinEvent, old: Member): boolean {
  const { group } = turn;
  const { newMemberId: memberId } = event;
  const oldLeader = group.leader;
  answerWaiting(turn, old, ErrorCode.FENCED_INSTANCE_ID);
  stopTimer(turn, `session:${old.memberId}`);
  group.members.delete(old.memberId);
  const member: Member = { ...old, memberId, join: null, sync: null };
  takeOver(member, event);
  group.members.set(memberId, member);
  if (oldLeader === old.memberId) group.leader = memberId;
  if (group.phase !== 'Stable' || selectProtocol(group.members.values()) !== group.protocol) {
    return false;
  }
  const isLeader = group.leader === memberId;
  const reply = joinReply(group, member);
  startTimer(turn, `session:${memberId}`, member.sessionTimeoutMs);
  const assignments = new Map([...group.members].map(([id, { assignment }]) => [id, assignment]));
  store(turn, groupRecord(group, assignments), {
    what: 'static member',
    request: event.request,
    reply: event.knowsSkipAssignment
      ? { ...reply, skipAssignment: isLeader }
      : // An older client that learned that it leads would assign anew: it hears of its old id.
        { ...reply, members: [], leader: oldLeader ?? '' },
  });
  return true;
}
