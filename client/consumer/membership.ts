import { ErrorCode, isRetriable } from '../../protocol/index.js';

/** A member's place in its group. */
export interface Membership {
  /**
   * `apart`: not a member; `revoking`: giving up what it had, still a member; `joining`, `syncing`:
   * a request is under way; `stable`: has an assignment; `ended`: left, or failed for good.
   */
  readonly phase: 'apart' | 'revoking' | 'joining' | 'syncing' | 'stable' | 'ended';
  /** Empty until the coordinator has given one. */
  readonly memberId: string;
  /** -1 while it belongs to none. */
  readonly generation: number;
  readonly isLeader: boolean;
  /** Has partitions that it has not given up. */
  readonly hasAssignment: boolean;
  /** Failures in a row of the request that is being tried. */
  readonly failures: number;
}

export const apart: Membership = {
  phase: 'apart',
  memberId: '',
  generation: -1,
  isLeader: false,
  hasAssignment: false,
  failures: 0,
};

/** What a coordinator answers to JoinGroup, as far as the state depends on it. */
interface Joined {
  readonly memberId: string;
  readonly generation: number;
  readonly isLeader: boolean;
}

export type GroupEvent =
  | { readonly type: 'start' }
  /** The subscription or, for the leader, the partitions of its topics have changed. */
  | { readonly type: 'rejoin' }
  | { readonly type: 'joined'; readonly answer: Joined }
  | { readonly type: 'synced' }
  /** The application has given its partitions up. */
  | { readonly type: 'revoked' }
  /** The time for a heartbeat, or for the next attempt, has come. */
  | { readonly type: 'heartbeatDue' }
  | { readonly type: 'heartbeatAnswered' }
  | { readonly type: 'retryDue' }
  /** A request was refused; `request` may also be a commit of this generation. */
  | {
      readonly type: 'refused';
      readonly request: GroupRequest | 'commit';
      readonly errorCode: number;
      /** The coordinator names it with MEMBER_ID_REQUIRED. */
      readonly memberId?: string;
    }
  /** No answer: the connection broke, or there is no coordinator. */
  | { readonly type: 'unanswered'; readonly request: GroupRequest }
  | { readonly type: 'leave' };

export type GroupRequest = 'join' | 'sync' | 'heartbeat';

export type GroupEffect =
  | { readonly type: 'send'; readonly request: GroupRequest | 'leave' }
  /** Calls the application; `revoked` follows. `lost`: others may have the partitions already. */
  | { readonly type: 'revoke'; readonly lost: boolean }
  /** Hands the assignment that SyncGroup brought to the application. */
  | { readonly type: 'assign' }
  | { readonly type: 'heartbeatLater' }
  | { readonly type: 'retryLater'; readonly failures: number }
  | { readonly type: 'forgetCoordinator' }
  | { readonly type: 'fail'; readonly errorCode: number };

/** What follows from an event: the new state, and what the shell must do, in order. */
export interface GroupStep {
  readonly state: Membership;
  readonly effects: readonly GroupEffect[];
}

/** The member's side of the classic group protocol (KIP-62, 345, 394), eager rebalances. */
export function step(state: Membership, event: GroupEvent): GroupStep {
  if (state.phase === 'ended') return { state, effects: [] };
  switch (event.type) {
    case 'start':
      return state.phase === 'apart' ? join(state) : stay(state);
    case 'rejoin':
      return state.phase === 'stable' ? giveUp(state, false) : stay(state);
    case 'joined':
      return onJoined(state, event.answer);
    case 'synced':
      return onSynced(state);
    case 'revoked':
      return state.phase === 'revoking' ? join({ ...state, hasAssignment: false }) : stay(state);
    case 'heartbeatDue':
      return isMember(state) ? { state, effects: [send('heartbeat')] } : stay(state);
    case 'heartbeatAnswered':
      return isMember(state)
        ? { state: { ...state, failures: 0 }, effects: [heartbeatLater] }
        : stay(state);
    case 'retryDue':
      return onRetry(state);
    case 'refused':
      return onRefused(state, event);
    case 'unanswered':
      return awaits(state, event.request) ? again(state, [forgetCoordinator]) : stay(state);
    case 'leave':
      return leave(state);
  }
}

const heartbeatLater: GroupEffect = { type: 'heartbeatLater' };
const forgetCoordinator: GroupEffect = { type: 'forgetCoordinator' };
const send = (request: GroupRequest | 'leave'): GroupEffect => ({ type: 'send', request });
const stay = (state: Membership): GroupStep => ({ state, effects: [] });

/** It heartbeats; while it revokes too, or a slow application would be thrown out. */
function isMember({ phase }: Membership): boolean {
  return phase === 'stable' || phase === 'revoking';
}

/** Whether an answer to this request still matters. */
function awaits(state: Membership, request: GroupRequest | 'commit'): boolean {
  if (request === 'join') return state.phase === 'joining';
  if (request === 'sync') return state.phase === 'syncing';
  return isMember(state);
}

function join(state: Membership): GroupStep {
  return { state: { ...state, phase: 'joining', isLeader: false }, effects: [send('join')] };
}

function giveUp(state: Membership, lost: boolean): GroupStep {
  if (!state.hasAssignment) return join(state);
  return { state: { ...state, phase: 'revoking' }, effects: [{ type: 'revoke', lost }] };
}

function onJoined(state: Membership, answer: Joined): GroupStep {
  if (state.phase !== 'joining') return stay(state);
  return {
    state: { ...state, ...answer, phase: 'syncing', failures: 0 },
    effects: [send('sync')],
  };
}

function onSynced(state: Membership): GroupStep {
  if (state.phase !== 'syncing') return stay(state);
  return {
    state: { ...state, phase: 'stable', hasAssignment: true, failures: 0 },
    effects: [{ type: 'assign' }, heartbeatLater],
  };
}

function onRetry(state: Membership): GroupStep {
  if (state.phase === 'joining') return { state, effects: [send('join')] };
  if (state.phase === 'syncing') return { state, effects: [send('sync')] };
  return isMember(state) ? { state, effects: [send('heartbeat')] } : stay(state);
}

/** The same request once more, later. */
function again(state: Membership, effects: readonly GroupEffect[]): GroupStep {
  const failures = state.failures + 1;
  return {
    state: { ...state, failures },
    effects: [...effects, { type: 'retryLater', failures }],
  };
}

type Refused = Extract<GroupEvent, { type: 'refused' }>;

function onRefused(state: Membership, { request, errorCode, memberId }: Refused): GroupStep {
  if (!awaits(state, request)) return stay(state);
  switch (errorCode) {
    case ErrorCode.MEMBER_ID_REQUIRED:
      return join({ ...state, memberId: memberId ?? '' });
    case ErrorCode.REBALANCE_IN_PROGRESS:
      return onRebalance(state, request);
    case ErrorCode.UNKNOWN_MEMBER_ID:
      return forgotten({ ...state, memberId: '' });
    case ErrorCode.ILLEGAL_GENERATION:
      return forgotten(state);
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
      return request === 'commit' ? stay(state) : again(state, [forgetCoordinator]);
    default:
      if (request === 'commit') return stay(state);
      if (isRetriable(errorCode)) return again(state, []);
      return {
        state: { ...state, phase: 'ended' },
        effects: [{ type: 'fail', errorCode }],
      };
  }
}

function onRebalance(state: Membership, request: GroupRequest | 'commit'): GroupStep {
  if (state.phase === 'stable') {
    const { state: next, effects } = giveUp(state, false);
    return request === 'heartbeat' && next.phase === 'revoking'
      ? { state: next, effects: [...effects, heartbeatLater] }
      : { state: next, effects };
  }
  if (state.phase !== 'revoking') return join(state);
  return { state, effects: request === 'heartbeat' ? [heartbeatLater] : [] };
}

/** The coordinator has thrown the member out: others may have its partitions. */
function forgotten(state: Membership): GroupStep {
  const outside = { ...state, generation: -1 };
  // While the application is giving its partitions up already, it only has to finish.
  return state.phase === 'revoking' ? stay(outside) : giveUp(outside, true);
}

function leave(state: Membership): GroupStep {
  const isKnown = state.memberId !== '';
  return {
    state: { ...state, phase: 'ended' },
    effects: isKnown ? [send('leave')] : [],
  };
}
