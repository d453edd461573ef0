import { describe, expect, it } from 'vitest';
import {
  type GroupEvent,
  type Membership,
  newMembership,
  step,
} from '../../client/consumer/membership.js';
import { ErrorCode } from '../../protocol/index.js';

/** Feeds events and tells, per event, the phase and the effects in one line. */
function tell(events: readonly GroupEvent[], from = newMembership(false)): string[] {
  const state = { ...from };
  return events.map((event) => {
    const effects = step(state, event, 0).map((effect) => {
      if (effect.type === 'send') return `send ${effect.request}`;
      if (effect.type === 'revoke') return effect.lost ? 'revoke lost' : 'revoke';
      return effect.type;
    });
    return [state.phase, ...effects].join(', ');
  });
}

const joined: GroupEvent = {
  type: 'joined',
  answer: { memberId: 'm', generation: 1, isLeader: true },
};
const refused = (
  request: 'join' | 'sync' | 'heartbeat' | 'commit',
  name: keyof typeof ErrorCode,
): GroupEvent => ({ type: 'refused', request, errorCode: ErrorCode[name], memberId: 'given' });
const stable: Membership = {
  isStatic: false,
  phase: 'stable',
  memberId: 'm',
  generation: 1,
  isLeader: false,
  hasAssignment: true,
  failures: 0,
};

describe('membership', () => {
  it('joins with the member id it is told to use, syncs and heartbeats', () => {
    expect(
      tell([
        { type: 'start' },
        refused('join', 'MEMBER_ID_REQUIRED'),
        joined,
        { type: 'synced' },
        { type: 'heartbeatDue' },
        { type: 'heartbeatAnswered' },
      ]),
    ).toEqual([
      'joining, seekTopics, send join',
      'joining, send join',
      'syncing, send sync',
      'stable, assign, heartbeatLater',
      'stable, send heartbeat',
      'stable, heartbeatLater',
    ]);
  });

  it('gives its partitions up before it joins a new generation, and heartbeats meanwhile', () => {
    expect(
      tell(
        [
          refused('heartbeat', 'REBALANCE_IN_PROGRESS'),
          { type: 'heartbeatDue' },
          refused('heartbeat', 'REBALANCE_IN_PROGRESS'),
          { type: 'revoked' },
          joined,
          refused('sync', 'REBALANCE_IN_PROGRESS'),
        ],
        stable,
      ),
    ).toEqual([
      'revoking, revoke, heartbeatLater',
      'revoking, send heartbeat',
      'revoking, heartbeatLater',
      'joining, send join',
      'syncing, send sync',
      'joining, send join',
    ]);
  });

  it('loses its partitions when the coordinator does not know it any more', () => {
    const state = { ...stable };
    const effects = step(state, refused('heartbeat', 'UNKNOWN_MEMBER_ID'), 0);
    expect(state).toMatchObject({ phase: 'revoking', memberId: '', generation: -1 });
    expect(effects).toEqual([{ type: 'revoke', lost: true }]);
    expect(tell([refused('commit', 'ILLEGAL_GENERATION')], stable)).toEqual([
      'revoking, revoke lost',
    ]);
    const revoking = { ...stable, phase: 'revoking' as const };
    expect(tell([refused('heartbeat', 'UNKNOWN_MEMBER_ID')], revoking)).toEqual(['revoking']);
  });

  it.each(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'] as const)(
    'looks for the coordinator again on %s',
    (name) => {
      expect(tell([{ type: 'start' }, refused('join', name), { type: 'retryDue' }])).toEqual([
        'joining, seekTopics, send join',
        'joining, forgetCoordinator, retryLater',
        'joining, send join',
      ]);
      expect(tell([refused('heartbeat', name), { type: 'retryDue' }], stable)).toEqual([
        'stable, forgetCoordinator, retryLater',
        'stable, send heartbeat',
      ]);
    },
  );

  it('backs off further with each failure, until an answer comes', () => {
    const state = { ...stable };
    step(state, { type: 'unanswered', request: 'heartbeat' }, 0);
    const effects = step(state, { type: 'unanswered', request: 'heartbeat' }, 0);
    expect(effects.at(-1)).toEqual({ type: 'retryLater', failures: 2 });
    step(state, { type: 'heartbeatAnswered' }, 0);
    expect(state.failures).toBe(0);
  });

  it.each([
    'FENCED_INSTANCE_ID',
    'GROUP_AUTHORIZATION_FAILED',
    'INCONSISTENT_GROUP_PROTOCOL',
  ] as const)('ends for good on %s', (name) => {
    expect(tell([refused('heartbeat', name), { type: 'start' }], stable)).toEqual([
      'ended, stop, fail',
      'ended',
    ]);
  });

  it('ignores answers that come too late', () => {
    const joining = { ...stable, phase: 'joining' as const };
    expect(
      tell(
        [
          { type: 'heartbeatAnswered' },
          refused('heartbeat', 'UNKNOWN_MEMBER_ID'),
          refused('commit', 'ILLEGAL_GENERATION'),
          { type: 'synced' },
          { type: 'unanswered', request: 'heartbeat' },
          { type: 'dealOutdated' },
        ],
        joining,
      ),
    ).toEqual(Array.from({ length: 6 }, () => 'joining'));
  });

  it('leaves once', () => {
    expect(tell([{ type: 'leave' }, { type: 'leave' }], stable)).toEqual([
      'ended, stop, send leave',
      'ended',
    ]);
    expect(tell([{ type: 'leave' }])).toEqual(['ended, stop']);
  });

  it('says nothing when it ends as a static member: it may come back', () => {
    expect(tell([{ type: 'leave' }], { ...stable, isStatic: true })).toEqual(['ended, stop']);
  });

  it('looks for topics that do not exist until it ends', () => {
    const sought: GroupEvent = { type: 'topicsSought' };
    expect(tell([sought, { type: 'leave' }, sought], stable)).toEqual([
      'stable, seekTopics',
      'ended, stop, send leave',
      'ended',
    ]);
  });

  it('deals anew, as the leader, when its topics have other partitions', () => {
    const outdated: GroupEvent = { type: 'dealOutdated' };
    expect(tell([outdated], stable)).toEqual(['stable']);
    expect(tell([outdated], { ...stable, isLeader: true })).toEqual(['revoking, revoke']);
  });
});
