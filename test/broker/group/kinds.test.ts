import { expect, it } from 'vitest';
import { handlers } from '../../../broker/api/index.js';
import { allowAll } from '../../../broker/authorizer.js';
import type { Group, GroupHome, GroupKind } from '../../../broker/group/group.js';
import {
  classic,
  defaultCoordinatorSettings,
  GroupCoordinator,
  type MemberClaim,
} from '../../../broker/group/index.js';
import type { RequestContext } from '../../../broker/handler.js';
import { resourcesFor } from '../../../broker/resources/index.js';
import type { BrokerServices } from '../../../broker/services.js';
import { ANONYMOUS } from '../../../broker/session.js';
import {
  type Api,
  DeleteGroups,
  DescribeGroups,
  decodeRequestHeader,
  decodeResponse,
  ErrorCode,
  encodeRequest,
  ListGroups,
  OffsetCommit,
  OffsetFetch,
} from '../../../protocol/index.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { classicApis } from './classic-apis.js';
import { MemoryLog } from './memory-log.js';

const ROSTER_KEY = 900;

function rosterKey(groupId: string): Buffer {
  const key = Buffer.from(`..${groupId}`);
  key.writeInt16BE(ROSTER_KEY);
  return key;
}

/** A kind of group that is as small as one can be: who signs is in, whoever is in may commit. */
class Roster implements Group {
  readonly type = 'roster';
  readonly protocolType = 'consumer';

  constructor(
    readonly id: string,
    private readonly home: GroupHome,
    private members: readonly string[] = [],
  ) {}

  get stateName(): string {
    return this.members.length > 0 ? 'Signed' : 'Blank';
  }

  get isUnused(): boolean {
    return this.members.length === 0;
  }

  /** An API of its own. */
  async sign(...members: string[]): Promise<number> {
    this.members = members;
    const value = members.length > 0 ? Buffer.from(members.join()) : null;
    const errorCode = await this.home.append(() => [{ key: rosterKey(this.id), value }]);
    this.home.changed();
    return errorCode;
  }

  describe() {
    return undefined;
  }

  admitCommit({ memberId }: MemberClaim): number {
    return this.members.includes(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
  }

  offsetUse() {
    return { topics: new Set(this.members.length > 0 ? ['logs'] : []), until: 0 };
  }

  async delete(): Promise<number> {
    if (this.members.length > 0) return ErrorCode.NON_EMPTY_GROUP;
    const errorCode = await this.home.offsets.deleteWith(() => [
      { key: rosterKey(this.id), value: null },
    ]);
    this.home.changed();
    return errorCode;
  }

  restored(): void {}
  close(): void {}
}

const roster: GroupKind<Roster> = {
  recordKeys: [ROSTER_KEY],
  create: (groupId, home) => new Roster(groupId, home),
  owns: (group) => group instanceof Roster,
  replay: () => {
    const found = new Map<string, string[]>();
    return {
      apply: (key, value) => {
        const groupId = key.toString('utf8', 2);
        if (value === null) found.delete(groupId);
        else found.set(groupId, value.toString().split(','));
      },
      *groups() {
        for (const [groupId, members] of found) {
          yield [groupId, (home: GroupHome) => new Roster(groupId, home, members)] as const;
        }
      },
    };
  },
};

const topics = new Map(
  ['logs', 'other'].map((name) => [name, { name, id: name.padEnd(22, 'A'), partitions: [{}, {}] }]),
);

/** A coordinator that knows two kinds, behind the handlers that know none. */
function bench(log: MemoryLog) {
  const sim = createSimSystem({ seed: 1 });
  const { clock, random, log: words } = sim.process('broker');
  log.clock = clock;
  const settings = { ...defaultCoordinatorSettings, offsetsRetentionMs: 60_000 };
  const system = { clock, random, log: words };
  const coordinator = new GroupCoordinator(system, log, settings, [classic, roster]);
  const services = {
    ...{ groups: coordinator, authorizer: allowAll },
    metadata: { image: { topics, topicsById: new Map() } },
  } as unknown as BrokerServices;
  const session = { listener: 'l', host: '/h', clientId: 'test', principal: ANONYMOUS };
  const context = {
    ...resourcesFor(session, services),
    ...{ clock, settings: { offsetMetadataMaxBytes: 100 } },
  };
  const ask = async <Q, P, QI, PI>(api: Api<Q, P, QI, PI>, apiVersion: number, body: QI) => {
    const frame = Buffer.concat(encodeRequest(api, apiVersion, 1, 'test', body)).subarray(4);
    const whole = { ...context, apiVersion } as unknown as RequestContext;
    const answer = await handlers.get(api.key)?.answer(frame, decodeRequestHeader(frame), whole);
    const response = Buffer.concat(answer ?? []).subarray(4);
    return decodeResponse(api, apiVersion, response).body;
  };
  const commit = async (groupId: string, memberId: string, topic: string, offset: number) => {
    const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: '' }];
    const body = { groupId, memberId, topics: [{ name: topic, partitions }] };
    const answer = await ask(OffsetCommit, 8, { ...body, generationIdOrMemberEpoch: 1 });
    return answer.topics[0]?.partitions[0]?.errorCode;
  };
  const committed = async (groupId: string, name: string) => {
    const body = { groupId, topics: [{ name, partitionIndexes: [0] }] };
    return (await ask(OffsetFetch, 7, body)).topics[0]?.partitions[0]?.committedOffset;
  };
  return { sim, coordinator, ask, commit, committed };
}

const beginning = createSimSystem({ seed: 1 }).process('x').clock;

it('another kind of group stands beside the classic one, and no API of others needs to know', async () => {
  const log = new MemoryLog(beginning);
  const { coordinator, ask, commit, committed } = bench(log);
  const { group } = coordinator.of(roster, 'r');
  expect(await group?.sign('ann', 'bob')).toBe(ErrorCode.NONE);
  expect(await commit('r', 'ann', 'logs', 7)).toBe(ErrorCode.NONE);
  expect(await commit('r', 'eve', 'logs', 9)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
  expect(await committed('r', 'logs')).toBe(7);

  const simple = { memberId: '', groupInstanceId: null, generation: -1 };
  const value = {
    ...{ offset: 3, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1 },
    topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
  };
  await coordinator.commit('c', simple, [{ topic: 'logs', partition: 0, value }]);
  const listed = await ask(ListGroups, 5, {});
  expect(listed.groups).toEqual([
    { groupId: 'r', protocolType: 'consumer', groupState: 'Signed', groupType: 'roster' },
    { groupId: 'c', protocolType: '', groupState: 'Empty', groupType: 'classic' },
  ]);
  const some = await ask(ListGroups, 5, { typesFilter: ['Roster'] });
  expect(some.groups.map(({ groupId }) => groupId)).toEqual(['r']);

  const described = await ask(DescribeGroups, 6, { groups: ['r', 'c'] });
  const states = described.groups.map(({ errorCode, groupState }) => [errorCode, groupState]);
  expect(states).toEqual([
    [ErrorCode.GROUP_ID_NOT_FOUND, 'Dead'],
    [ErrorCode.NONE, 'Empty'],
  ]);

  const refused = await ask(DeleteGroups, 2, { groupsNames: ['r'] });
  expect(refused.results[0]?.errorCode).toBe(ErrorCode.NON_EMPTY_GROUP);
  await group?.sign();
  const deleted = await ask(DeleteGroups, 2, { groupsNames: ['r'] });
  expect(deleted.results[0]?.errorCode).toBe(ErrorCode.NONE);
  expect(coordinator.find('r').errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND);
  coordinator.close();
  // Nothing of it comes back.
  const again = bench(log);
  await again.sim.run(again.coordinator.load());
  expect((await again.ask(ListGroups, 5, {})).groups.map(({ groupId }) => groupId)).toEqual(['c']);
  again.coordinator.close();
});

it('what it has stored is there after a restart, and its offsets expire by what it says', async () => {
  const log = new MemoryLog(beginning);
  const first = bench(log);
  await first.coordinator.of(roster, 'r').group?.sign('ann');
  await first.commit('r', 'ann', 'logs', 7);
  await first.commit('r', 'ann', 'other', 8);
  first.coordinator.close();

  const { sim, coordinator, committed, commit } = bench(log);
  await sim.run(coordinator.load());
  expect(coordinator.find('r').group).toMatchObject({ type: 'roster', stateName: 'Signed' });
  expect([await committed('r', 'logs'), await committed('r', 'other')]).toEqual([7, 8]);
  expect(await commit('r', 'eve', 'logs', 9)).toBe(ErrorCode.UNKNOWN_MEMBER_ID);

  await sim.advance(defaultCoordinatorSettings.offsetsRetentionCheckIntervalMs + 1000);
  expect([await committed('r', 'logs'), await committed('r', 'other')]).toEqual([7, -1]);
  await coordinator.of(roster, 'r').group?.sign();
  await sim.advance(defaultCoordinatorSettings.offsetsRetentionCheckIntervalMs + 1000);
  expect(coordinator.list().groups).toEqual([]);
  coordinator.close();
});

it('a group that has nothing but offsets makes way for one of another kind, which keeps them', async () => {
  const { coordinator, commit, committed } = bench(new MemoryLog(beginning));
  const simple = { memberId: '', groupInstanceId: null, generation: -1 };
  const value = {
    ...{ offset: 3, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1 },
    topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
  };
  await coordinator.commit('g', simple, [{ topic: 'logs', partition: 0, value }]);
  await coordinator.of(roster, 'g').group?.sign('ann');
  expect(await committed('g', 'logs')).toBe(3);
  expect(await commit('g', 'ann', 'logs', 4)).toBe(ErrorCode.NONE);
  // With members it does not: the classic APIs are refused, and told why.
  const beat = classicApis(coordinator).heartbeat('g', simple);
  expect(await beat).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  coordinator.close();
});
