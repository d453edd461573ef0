import type { Effect, JoinReply, Reply, StoredPurpose, TimerName } from './events.js';
import { EMPTY_ASSIGNMENT, type GroupRecord, type MutableGroup } from './model.js';

/** One step: the group that it changes, when it happens, and the effects gathered on the way. */
export interface Turn {
  readonly group: MutableGroup;
  readonly now: number;
  readonly effects: Effect[];
}

export function enter({ group, now }: Turn, phase: MutableGroup['phase']): void {
  group.phase = phase;
  group.phaseSince = now;
}

export function reply(turn: Turn, request: number, answer: Reply): void {
  turn.effects.push({ type: 'reply', request, reply: answer });
}

export function replyPlain(turn: Turn, request: number, errorCode: number): void {
  reply(turn, request, { kind: 'plain', errorCode });
}

export function replyJoinError(
  turn: Turn,
  request: number,
  memberId: string,
  errorCode: number,
): void {
  reply(turn, request, joinError(memberId, errorCode));
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

export function replySync(turn: Turn, request: number, assignment: Buffer): void {
  const { protocolType, protocol } = turn.group;
  reply(turn, request, { kind: 'sync', errorCode: 0, protocolType, protocol, assignment });
}

export function replySyncError(turn: Turn, request: number, errorCode: number): void {
  reply(turn, request, {
    kind: 'sync',
    errorCode,
    protocolType: null,
    protocol: null,
    assignment: EMPTY_ASSIGNMENT,
  });
}

export function startTimer(turn: Turn, timer: TimerName, delayMs: number): void {
  turn.effects.push({ type: 'start timer', timer, delayMs });
}

export function stopTimer(turn: Turn, timer: TimerName): void {
  turn.effects.push({ type: 'stop timer', timer });
}

export function store(turn: Turn, record: GroupRecord | null, purpose: StoredPurpose): void {
  turn.effects.push({ type: 'store', record, purpose });
}
