import { describe, expect, it } from 'vitest';
import { apart, type GroupEvent, type Membership, step } from '../../client/consumer/membership.js';
import { ErrorCode } from '../../protocol/index.js';

/** Feeds events and tells, per event, the phase and the effects in one line. */
function tell(events: readonly GroupEvent[], from: Membership = apart): string[] {
  let state = from;
  return events.map((event) => {
    const next = step(state, event);
    state = next.state;
    const effects = next.effects.map((effect) => {
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
      'joining, send join',
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
    const next = step(stable, refused('heartbeat', 'UNKNOWN_MEMBER_ID'));
    expect(next.state).toMatchObject({ phase: 'revoking', memberId: '', generation: -1 });
    expect(next.effects).toEqual([{ type: 'revoke', lost: true }]);
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
        'joining, send join',
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
    const first = step(stable, { type: 'unanswered', request: 'heartbeat' });
    const second = step(first.state, { type: 'unanswered', request: 'heartbeat' });
    expect(second.effects.at(-1)).toEqual({ type: 'retryLater', failures: 2 });
    expect(step(second.state, { type: 'heartbeatAnswered' }).state.failures).toBe(0);
  });

  it.each([
    'FENCED_INSTANCE_ID',
    'GROUP_AUTHORIZATION_FAILED',
    'INCONSISTENT_GROUP_PROTOCOL',
  ] as const)('ends for good on %s', (name) => {
    expect(tell([refused('heartbeat', name), { type: 'start' }], stable)).toEqual([
      'ended, fail',
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
          { type: 'rejoin' },
        ],
        joining,
      ),
    ).toEqual(Array.from({ length: 6 }, () => 'joining'));
  });

  it('leaves once', () => {
    expect(tell([{ type: 'leave' }, { type: 'leave' }], stable)).toEqual([
      'ended, send leave',
      'ended',
    ]);
    expect(tell([{ type: 'leave' }])).toEqual(['ended']);
  });
});
