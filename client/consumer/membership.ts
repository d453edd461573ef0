import { ErrorCode, isRetriable } from '../../protocol/index.js';

/** A member's place in its group. */
export interface MutableMembership {
  /** With a `groupInstanceId` (KIP-345): it stays a member when it ends, and may come back. */
  readonly isStatic: boolean;
  /**
   * `apart`: not a member; `revoking`: giving up what it had, still a member; `joining`, `syncing`:
   * a request is under way; `stable`: has an assignment; `ended`: left, or failed for good.
   */
  phase: 'apart' | 'revoking' | 'joining' | 'syncing' | 'stable' | 'ended';
  /** Empty until the coordinator has given one. */
  memberId: string;
  /** -1 while it belongs to none. */
  generation: number;
  isLeader: boolean;
  /** Has partitions that it has not given up. */
  hasAssignment: boolean;
  /** Failures in a row of the request that is being tried. */
  failures: number;
}

/** What others see of it. */
export type Membership = Readonly<MutableMembership>;

export function newMembership(isStatic: boolean): Membership {
  return {
    isStatic,
    phase: 'apart',
    memberId: '',
    generation: -1,
    isLeader: false,
    hasAssignment: false,
    failures: 0,
  };
}

/** What a coordinator answers to JoinGroup, as far as the state depends on it. */
interface Joined {
  readonly memberId: string;
  readonly generation: number;
  readonly isLeader: boolean;
}

export type GroupEvent =
  | { readonly type: 'start' }
  /** The partitions that the leader has dealt are not those that its topics have now. */
  | { readonly type: 'dealOutdated' }
  /** It was looked whether the subscribed topics exist. */
  | { readonly type: 'topicsSought' }
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
  /** At once: nothing that was to come later is waited for any more. */
  | { readonly type: 'send'; readonly request: GroupRequest | 'leave' }
  /** Calls the application; `revoked` follows. `lost`: others may have the partitions already. */
  | { readonly type: 'revoke'; readonly lost: boolean }
  /** Hands the assignment that SyncGroup brought to the application. */
  | { readonly type: 'assign' }
  /** Instead of what was to come later. */
  | { readonly type: 'heartbeatLater' }
  | { readonly type: 'retryLater'; readonly failures: number }
  /** Look for subscribed topics that do not exist, after a while; `topicsSought` follows. */
  | { readonly type: 'seekTopics' }
  /** Nothing is to come any more. */
  | { readonly type: 'stop' }
  | { readonly type: 'forgetCoordinator' }
  | { readonly type: 'fail'; readonly errorCode: number };

type Effects = readonly GroupEffect[];

/** The member's side of the classic group protocol (KIP-62, 345, 394), eager rebalances. */
export function step(
  state: MutableMembership,
  event: GroupEvent,
  _now: number,
): readonly GroupEffect[] {
  if (state.phase === 'ended') return [];
  switch (event.type) {
    case 'start':
      return state.phase === 'apart' ? [seekTopics, ...join(state)] : [];
    case 'topicsSought':
      return [seekTopics];
    case 'dealOutdated':
      return state.phase === 'stable' && state.isLeader ? giveUp(state, false) : [];
    case 'joined':
      return onJoined(state, event.answer);
    case 'synced':
      return onSynced(state);
    case 'revoked':
      return onRevoked(state);
    case 'heartbeatDue':
      return isMember(state) ? [send('heartbeat')] : [];
    case 'heartbeatAnswered':
      return onHeartbeatAnswered(state);
    case 'retryDue':
      return onRetry(state);
    case 'refused':
      return onRefused(state, event);
    case 'unanswered':
      return awaits(state, event.request) ? again(state, [forgetCoordinator]) : [];
    case 'leave':
      return leave(state);
  }
}

const heartbeatLater: GroupEffect = { type: 'heartbeatLater' };
const forgetCoordinator: GroupEffect = { type: 'forgetCoordinator' };
const seekTopics: GroupEffect = { type: 'seekTopics' };
const stop: GroupEffect = { type: 'stop' };
const send = (request: GroupRequest | 'leave'): GroupEffect => ({ type: 'send', request });

/** It heartbeats; while it revokes too, or a slow application would be thrown out. */
function isMember({ phase }: MutableMembership): boolean {
  return phase === 'stable' || phase === 'revoking';
}

/** Whether an answer to this request still matters. */
function awaits(state: MutableMembership, request: GroupRequest | 'commit'): boolean {
  if (request === 'join') return state.phase === 'joining';
  if (request === 'sync') return state.phase === 'syncing';
  return isMember(state);
}

function join(state: MutableMembership): Effects {
  state.phase = 'joining';
  state.isLeader = false;
  return [send('join')];
}

function giveUp(state: MutableMembership, lost: boolean): Effects {
  if (!state.hasAssignment) return join(state);
  state.phase = 'revoking';
  return [{ type: 'revoke', lost }];
}

function onRevoked(state: MutableMembership): Effects {
  if (state.phase !== 'revoking') return [];
  state.hasAssignment = false;
  return join(state);
}

function onJoined(state: MutableMembership, { memberId, generation, isLeader }: Joined): Effects {
  if (state.phase !== 'joining') return [];
  state.memberId = memberId;
  state.generation = generation;
  state.isLeader = isLeader;
  state.phase = 'syncing';
  state.failures = 0;
  return [send('sync')];
}

function onSynced(state: MutableMembership): Effects {
  if (state.phase !== 'syncing') return [];
  state.phase = 'stable';
  state.hasAssignment = true;
  state.failures = 0;
  return [{ type: 'assign' }, heartbeatLater];
}

function onHeartbeatAnswered(state: MutableMembership): Effects {
  if (!isMember(state)) return [];
  state.failures = 0;
  return [heartbeatLater];
}

function onRetry(state: MutableMembership): Effects {
  if (state.phase === 'joining') return [send('join')];
  if (state.phase === 'syncing') return [send('sync')];
  return isMember(state) ? [send('heartbeat')] : [];
}

/** The same request once more, later. */
function again(state: MutableMembership, effects: Effects): Effects {
  state.failures += 1;
  return [...effects, { type: 'retryLater', failures: state.failures }];
}

type Refused = Extract<GroupEvent, { type: 'refused' }>;

function onRefused(state: MutableMembership, { request, errorCode, memberId }: Refused): Effects {
  if (!awaits(state, request)) return [];
  switch (errorCode) {
    case ErrorCode.MEMBER_ID_REQUIRED:
      state.memberId = memberId ?? '';
      return join(state);
    case ErrorCode.REBALANCE_IN_PROGRESS:
      return onRebalance(state, request);
    case ErrorCode.UNKNOWN_MEMBER_ID:
      state.memberId = '';
      return forgotten(state);
    case ErrorCode.ILLEGAL_GENERATION:
      return forgotten(state);
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
      return request === 'commit' ? [] : again(state, [forgetCoordinator]);
    default:
      if (request === 'commit') return [];
      if (isRetriable(errorCode)) return again(state, []);
      state.phase = 'ended';
      return [stop, { type: 'fail', errorCode }];
  }
}

function onRebalance(state: MutableMembership, request: GroupRequest | 'commit'): Effects {
  const then = request === 'heartbeat' ? [heartbeatLater] : [];
  if (state.phase === 'revoking') return then;
  if (state.phase !== 'stable' || !state.hasAssignment) return join(state);
  return [...giveUp(state, false), ...then];
}

/** The coordinator has thrown the member out: others may have its partitions. */
function forgotten(state: MutableMembership): Effects {
  state.generation = -1;
  // While the application is giving its partitions up already, it only has to finish.
  return state.phase === 'revoking' ? [] : giveUp(state, true);
}

function leave(state: MutableMembership): Effects {
  const mustSay = state.memberId !== '' && !state.isStatic;
  state.phase = 'ended';
  return mustSay ? [stop, send('leave')] : [stop];
}
