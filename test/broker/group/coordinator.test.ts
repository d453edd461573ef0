import { describe, expect, it } from 'vitest';
import {
  type CoordinatorSettings,
  defaultCoordinatorSettings,
  GroupCoordinator,
  type GroupState,
  type JoinRequest,
  type OffsetEntry,
  partitionOf,
} from '../../../broker/group/index.js';
import {
  ConsumerSubscription,
  ErrorCode,
  writePrefixed,
  ZERO_UUID,
} from '../../../protocol/index.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { classicApis } from './classic-apis.js';
import { MemoryLog } from './memory-log.js';

const anonymous = { memberId: '', groupInstanceId: null, generation: -1 };

function subscription(...topics: string[]): Buffer {
  return writePrefixed(ConsumerSubscription, { topics }, 1);
}

function joining(changes: Partial<JoinRequest> = {}): JoinRequest {
  return {
    memberId: '',
    groupInstanceId: null,
    clientId: 'app',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('logs') }],
    requiresKnownMemberId: false,
    knowsSkipAssignment: true,
    ...changes,
  };
}

function offsetOf(partition: number, offset: number, topic = 'logs', at = 0): OffsetEntry {
  return {
    topic,
    partition,
    value: {
      offset,
      leaderEpoch: 3,
      metadata: 'm',
      commitTimestamp: at,
      expireTimestamp: -1,
      topicId: ZERO_UUID,
    },
  };
}

/**
 * A broker's coordinator on virtual time, which can be started again on the same log. What needs
 * no time is awaited as it is, for `sim.run` would let the clock jump to the next timer.
 */
class Bench {
  readonly sim = createSimSystem({ seed: 1 });
  readonly log = new MemoryLog(this.sim.process('broker').clock);
  coordinator!: GroupCoordinator;
  private starts = 0;

  constructor(private readonly settings: Partial<CoordinatorSettings> = {}) {
    this.start();
  }

  get process() {
    return this.sim.process(`broker ${this.starts}`);
  }

  start(): void {
    this.starts += 1;
    this.log.clock = this.process.clock;
    const settings = { ...defaultCoordinatorSettings, ...this.settings };
    this.coordinator = new GroupCoordinator(this.process, this.log, settings);
  }

  async restart(): Promise<void> {
    this.coordinator.close();
    this.process.kill();
    this.start();
    const loading = this.coordinator.load();
    await this.sim.advance(100);
    await loading;
  }

  /** A group of one member that has its assignment. */
  async stable(groupId: string, changes: Partial<JoinRequest> = {}): Promise<string> {
    const { memberId, generation } = await classicApis(this.coordinator).join(
      groupId,
      joining(changes),
    );
    await classicApis(this.coordinator).sync(groupId, {
      memberId,
      generation,
      groupInstanceId: changes.groupInstanceId ?? null,
      protocolType: 'consumer',
      protocol: 'range',
      assignments: new Map([[memberId, Buffer.from('all')]]),
    });
    return memberId;
  }
}

/** What must survive a restart. */
function durable(state: GroupState | undefined) {
  if (state === undefined) return undefined;
  const { phase, generation, protocolType, protocol, leader, members, phaseSince } = state;
  return {
    ...{ phase, generation, protocolType, protocol, leader, phaseSince },
    members: [...members.values()].map((member) => ({
      ...member,
      isNew: false,
      synced: true,
      protocols: member.protocols.filter(({ name }) => name === protocol),
    })),
  };
}

describe('the group coordinator', () => {
  it('finds the partition of a group as Java does', () => {
    expect(partitionOf('', 50)).toBe(0);
    expect(partitionOf('my-group', 50)).toBe(12);
    // Its hash code is -2^31.
    expect(partitionOf('polygenelubricants', 50)).toBe(0);
    expect(partitionOf('console-consumer-12345', 50)).toBe(
      Math.abs(
        [...'console-consumer-12345'].reduce(
          (hash, c) => (Math.imul(31, hash) + c.charCodeAt(0)) | 0,
          0,
        ),
      ) % 50,
    );
  });

  it('acknowledges a commit after the append, and not when it failed', async () => {
    const bench = new Bench();
    bench.log.delayMs = 500;
    await bench.sim.run(async () => {
      let answered = false;
      const commit = bench.coordinator.commit('g', anonymous, [offsetOf(0, 7)]).then((code) => {
        answered = true;
        return code;
      });
      await bench.process.clock.sleep(499);
      expect(answered).toBe(false);
      expect(bench.coordinator.committed('g').offsets?.get('logs', 0)).toBeUndefined();
      expect(await commit).toBe(ErrorCode.NONE);
      expect(bench.coordinator.committed('g').offsets?.get('logs', 0)?.offset).toBe(7);

      bench.log.failure = new Error('no space left');
      const failed = await bench.coordinator.commit('g', anonymous, [offsetOf(0, 8)]);
      expect(failed).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
      expect(bench.coordinator.committed('g').offsets?.get('logs', 0)?.offset).toBe(7);
      expect(bench.process.logLines.some(({ level }) => level === 'error')).toBe(true);
    });
  });

  it('knows after a restart, at any step, what it had stored before', async () => {
    type Op = (bench: Bench, ids: string[]) => Promise<unknown>;
    const member = { groupInstanceId: null, protocolType: null, protocol: null };
    const story: Op[] = [
      ({ coordinator }) => coordinator.commit('g', anonymous, [offsetOf(0, 1), offsetOf(1, 2)]),
      async (bench, ids) => ids.push(await bench.stable('g')),
      ({ coordinator }, [memberId = '']) =>
        coordinator.commit('g', { ...anonymous, memberId, generation: 1 }, [offsetOf(0, 5)]),
      async ({ coordinator }, ids) => {
        const first = ids[0] ?? '';
        const second = classicApis(coordinator).join('g', joining({ groupInstanceId: 'two' }));
        await classicApis(coordinator).join('g', joining({ memberId: first }));
        ids.push((await second).memberId);
      },
      async ({ coordinator }, [first = '', second = '']) => {
        const generation = classicApis(coordinator).state('g')?.generation ?? 0;
        const claim = { ...member, generation };
        const assignments = new Map([
          [first, Buffer.from('left')],
          [second, Buffer.from('right')],
        ]);
        await classicApis(coordinator).sync('g', { ...claim, memberId: first, assignments });
      },
      // The static member comes back with a new id, without a rebalance.
      async ({ coordinator }, ids) => {
        const { memberId, errorCode } = await classicApis(coordinator).join(
          'g',
          joining({ groupInstanceId: 'two' }),
        );
        expect(errorCode).toBe(ErrorCode.NONE);
        ids[1] = memberId;
      },
      async ({ coordinator }, [first = '', second = '']) =>
        classicApis(coordinator).leave('g', [
          { memberId: first, groupInstanceId: null },
          { memberId: second, groupInstanceId: 'two' },
        ]),
      ({ coordinator }) => coordinator.commit('other', anonymous, [offsetOf(0, 9)]),
      ({ coordinator }) => coordinator.delete('g'),
    ];
    for (let restartAfter = 1; restartAfter <= story.length; restartAfter++) {
      const bench = new Bench();
      const ids: string[] = [];
      let expected = durable(undefined);
      for (const op of story.slice(0, restartAfter)) {
        await op(bench, ids);
        const state = classicApis(bench.coordinator).state('g');
        const resting = state === undefined || state.phase === 'Stable' || state.phase === 'Empty';
        if (resting) expected = durable(state);
      }
      const offsets = [...(bench.coordinator.committed('g').offsets?.entries() ?? [])];
      const others = [...(bench.coordinator.committed('other').offsets?.entries() ?? [])];
      await bench.restart();
      const state = classicApis(bench.coordinator).state('g');
      expect({ ...durable(state), phaseSince: 0 }, `restart after step ${restartAfter}`).toEqual({
        ...expected,
        phaseSince: 0,
      });
      expect([...(bench.coordinator.committed('g').offsets?.entries() ?? [])]).toEqual(offsets);
      expect([...(bench.coordinator.committed('other').offsets?.entries() ?? [])]).toEqual(others);
    }
  });

  it('asks clients for patience while it loads, and knows members again afterwards', async () => {
    const bench = new Bench();
    const memberId = await bench.stable('g');
    bench.coordinator.close();
    bench.start();
    await bench.sim.run(async () => {
      const { coordinator } = bench;
      const loading = coordinator.load();
      const claim = { memberId, generation: 1, groupInstanceId: null };
      const busy = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
      expect(await classicApis(coordinator).heartbeat('g', claim)).toBe(busy);
      expect((await classicApis(coordinator).join('g', joining())).errorCode).toBe(busy);
      expect(await coordinator.commit('g', claim, [])).toBe(busy);
      expect(coordinator.committed('g').errorCode).toBe(busy);
      expect(coordinator.list().errorCode).toBe(busy);
      // A partition that holds nothing is served at once.
      expect(coordinator.committed('elsewhere').errorCode).toBe(ErrorCode.NONE);
      await loading;
      expect(await classicApis(coordinator).heartbeat('g', claim)).toBe(ErrorCode.NONE);
    });
    // Nobody beats: the session ends, from the restart on.
    await bench.sim.advance(9_999);
    expect(classicApis(bench.coordinator).state('g')?.members.size).toBe(1);
    await bench.sim.advance(2);
    expect(classicApis(bench.coordinator).state('g')?.phase).toBe('Empty');
  });

  it('says so where a partition cannot be read, and serves the others', async () => {
    const bench = new Bench();
    await bench.coordinator.commit('g', anonymous, [offsetOf(0, 1)]);
    await bench.coordinator.commit('h', anonymous, [offsetOf(0, 1)]);
    const broken = bench.log.batches.get(partitionOf('g', 50)) ?? [];
    broken[0]?.fill(0xff, 61);
    await bench.restart();
    expect(bench.coordinator.committed('g').errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    expect(bench.coordinator.committed('h').offsets?.get('logs', 0)?.offset).toBe(1);
    expect(bench.process.logLines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('remembers no group that has nothing to remember', async () => {
    const bench = new Bench();
    await bench.sim.run(async () => {
      const { coordinator } = bench;
      const claim = { memberId: 'm', generation: 1, groupInstanceId: null };
      expect(await classicApis(coordinator).heartbeat('g', claim)).toBe(
        ErrorCode.UNKNOWN_MEMBER_ID,
      );
      expect((await classicApis(coordinator).join('g', joining({ memberId: 'x' }))).errorCode).toBe(
        ErrorCode.UNKNOWN_MEMBER_ID,
      );
      expect(coordinator.list().groups).toEqual([]);
      expect(coordinator.find('g').errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
      expect(await coordinator.delete('g')).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
      const told = await classicApis(coordinator).join(
        'g',
        joining({ requiresKnownMemberId: true }),
      );
      expect(told.errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED);
      expect(told.memberId).toMatch(/^app-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(coordinator.list().groups).toHaveLength(1);
    });
    await bench.sim.advance(10_001);
    expect(bench.coordinator.list().groups).toEqual([]);
    expect(bench.log.batches.size).toBe(0);
  });

  it('sends everybody who waits elsewhere when it closes', async () => {
    const bench = new Bench();
    await bench.sim.run(async () => {
      await bench.stable('g');
      const waiting = classicApis(bench.coordinator).join('g', joining());
      bench.coordinator.close();
      expect((await waiting).errorCode).toBe(ErrorCode.NOT_COORDINATOR);
      expect((await classicApis(bench.coordinator).join('g', joining())).errorCode).toBe(
        ErrorCode.NOT_COORDINATOR,
      );
    });
  });

  it('a deletion takes back offsets that are still on their way into the log', async () => {
    const bench = new Bench();
    await bench.coordinator.commit('g', anonymous, [offsetOf(0, 1)]);
    bench.log.delayMs = 100;
    await bench.sim.run(async () => {
      const commit = bench.coordinator.commit('g', anonymous, [offsetOf(1, 2)]);
      const deletion = bench.coordinator.delete('g');
      expect(await bench.coordinator.commit('g', anonymous, [])).toBe(
        ErrorCode.COORDINATOR_NOT_AVAILABLE,
      );
      expect([await commit, await deletion]).toEqual([ErrorCode.NONE, ErrorCode.NONE]);
    });
    expect(bench.coordinator.list().groups).toEqual([]);
    await bench.restart();
    expect(bench.coordinator.list().groups).toEqual([]);
  });

  it('cuts what is large into batches that a log accepts', async () => {
    const bench = new Bench();
    const entries = Array.from({ length: 10_000 }, (_, index) => offsetOf(index, index));
    await bench.coordinator.commit('g', anonymous, entries);
    const batches = bench.log.batches.get(partitionOf('g', 50)) ?? [];
    expect(batches.length).toBeGreaterThan(1);
    for (const batch of batches) expect(batch.length).toBeLessThan(300_000);
    await bench.restart();
    expect([...(bench.coordinator.committed('g').offsets?.entries() ?? [])]).toEqual(entries);
  });

  it('drops the offsets of a topic that is gone, and takes none for its successor', async () => {
    const bench = new Bench();
    const withId = (topicId: string) => {
      const entry = offsetOf(0, 4);
      return { ...entry, value: entry.value && { ...entry.value, topicId } };
    };
    const first = 'AAAAAAAAAAAAAAAAAAAAAQ';
    const second = 'AAAAAAAAAAAAAAAAAAAAAg';
    await bench.sim.run(
      bench.coordinator.commit('g', anonymous, [withId(first), offsetOf(0, 1, 'kept')]),
    );
    await bench.restart();
    const { offsets } = bench.coordinator.committed('g');
    expect(offsets?.get('logs', 0, first)?.offset).toBe(4);
    expect(offsets?.get('logs', 0)?.offset).toBe(4);
    expect(offsets?.get('logs', 0, second)).toBeUndefined();
    await bench.coordinator.forgetTopic('logs');
    expect(offsets?.get('logs', 0, first)).toBeUndefined();
    await bench.restart();
    expect([...(bench.coordinator.committed('g').offsets?.entries() ?? [])]).toHaveLength(1);
  });
});

describe('expiration of offsets', () => {
  const hour = 3_600_000;
  const settings = { offsetsRetentionMs: 24 * hour, offsetsRetentionCheckIntervalMs: hour };

  it('begins with the commit where a group never had members', async () => {
    const bench = new Bench(settings);
    await bench.coordinator.load();
    const now = bench.process.clock.now();
    const entry = offsetOf(0, 1, 'logs', now);
    await bench.coordinator.commit('g', anonymous, [entry]);
    await bench.sim.advance(23.5 * hour);
    expect(bench.coordinator.committed('g').offsets?.isEmpty).toBe(false);
    const stored = () => [...bench.log.batches.values()].flat().length;
    const before = stored();
    await bench.sim.advance(hour);
    expect(bench.coordinator.list().groups).toEqual([]);
    // Its offset is taken back; of the group itself there is nothing in the log.
    expect(stored()).toBe(before + 1);
    await bench.restart();
    expect(bench.coordinator.list().groups).toEqual([]);
  });

  it('begins when the last member has gone, and ends with the group', async () => {
    const bench = new Bench(settings);
    await bench.coordinator.load();
    const memberId = await bench.sim.run(
      bench.stable('g', { sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 1_800_000 }),
    );
    const claim = { memberId, generation: 1, groupInstanceId: null };
    const committedAt = bench.process.clock.now();
    const entries = ['logs', 'unsubscribed'].map((topic) => offsetOf(0, 1, topic, committedAt));
    await bench.coordinator.commit('g', claim, entries);
    const beats = async (hours: number) => {
      for (let i = 0; i < hours * 4; i++) {
        await bench.sim.advance(hour / 4);
        expect(await classicApis(bench.coordinator).heartbeat('g', claim)).toBe(ErrorCode.NONE);
      }
    };
    await beats(26);
    // As long as it has members it keeps what they subscribe to.
    const { offsets } = bench.coordinator.committed('g');
    expect([...(offsets?.entries() ?? [])].map(({ topic }) => topic)).toEqual(['logs']);
    await classicApis(bench.coordinator).leave('g', [{ memberId, groupInstanceId: null }]);
    await bench.sim.advance(23 * hour);
    expect(offsets?.isEmpty).toBe(false);
    await bench.restart();
    await bench.sim.advance(2.5 * hour);
    expect(bench.coordinator.list().groups).toEqual([]);
    await bench.restart();
    expect(bench.coordinator.list().groups).toEqual([]);
  });

  it('does not expire a group while its first commit is on its way', async () => {
    const bench = new Bench();
    const { offsetsRetentionCheckIntervalMs } = defaultCoordinatorSettings;
    await bench.coordinator.load();
    await bench.sim.advance(offsetsRetentionCheckIntervalMs - 100);
    bench.log.delayMs = 500;
    const commit = bench.coordinator.commit('g', anonymous, [
      offsetOf(0, 7, 'logs', bench.process.clock.now()),
    ]);
    await bench.sim.advance(1_000);
    expect(await commit).toBe(ErrorCode.NONE);
    await bench.restart();
    expect(bench.coordinator.committed('g').offsets?.get('logs', 0)?.offset).toBe(7);
  });
});
