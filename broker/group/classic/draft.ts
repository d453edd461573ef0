import type { Effect, JoinReply, Reply, StoredPurpose, TimerName } from './events.js';
import { EMPTY_ASSIGNMENT, type GroupRecord, type GroupState, type Member } from './model.js';

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

/** A state under change within one step, and the effects gathered on the way. */
export interface Draft extends Mutable<Omit<GroupState, 'members' | 'pendingMembers'>> {
  members: Map<string, Member>;
  pendingMembers: Set<string>;
  readonly now: number;
  readonly effects: Effect[];
}

/** A draft that takes the maps of `state` over: a copy for each event made large groups slow. */
export function draftOf(state: GroupState, now: number): Draft {
  return {
    ...state,
    members: state.members as Map<string, Member>,
    pendingMembers: state.pendingMembers as Set<string>,
    now,
    effects: [],
  };
}

/** Replaces some fields of a member; it must be there. */
export function changeMember(draft: Draft, memberId: string, changes: Partial<Member>): Member {
  const member = draft.members.get(memberId);
  if (member === undefined) throw new Error(`group ${draft.groupId}: no member ${memberId}`);
  const changed = { ...member, ...changes };
  draft.members.set(memberId, changed);
  return changed;
}

export function enter(draft: Draft, phase: GroupState['phase']): void {
  draft.phase = phase;
  draft.phaseSince = draft.now;
}

export function reply(draft: Draft, request: number, answer: Reply): void {
  draft.effects.push({ type: 'reply', request, reply: answer });
}

export function replyPlain(draft: Draft, request: number, errorCode: number): void {
  reply(draft, request, { kind: 'plain', errorCode });
}

export function replyJoinError(
  draft: Draft,
  request: number,
  memberId: string,
  errorCode: number,
): void {
  reply(draft, request, joinError(memberId, errorCode));
}

/** The answer to a JoinGroup request that holds nothing but an error. */
export function joinError(memberId: string, errorCode: number): JoinReply {
  return {
    kind: 'join',
    errorCode,
    memberId,
    generation: -1,
    protocolType: null,
    protocol: null,
    leader: '',
    members: [],
    skipAssignment: false,
  };
}

export function replySync(draft: Draft, request: number, assignment: Buffer): void {
  const { protocolType, protocol } = draft;
  reply(draft, request, { kind: 'sync', errorCode: 0, protocolType, protocol, assignment });
}

export function replySyncError(draft: Draft, request: number, errorCode: number): void {
  reply(draft, request, {
    kind: 'sync',
    errorCode,
    protocolType: null,
    protocol: null,
    assignment: EMPTY_ASSIGNMENT,
  });
}

export function startTimer(draft: Draft, timer: TimerName, delayMs: number): void {
  draft.effects.push({ type: 'start timer', timer, delayMs });
}

export function stopTimer(draft: Draft, timer: TimerName): void {
  draft.effects.push({ type: 'stop timer', timer });
}

export function store(draft: Draft, record: GroupRecord | null, purpose: StoredPurpose): void {
  draft.effects.push({ type: 'store', record, purpose });
}
