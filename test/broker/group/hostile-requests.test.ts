import { describe, expect, it } from 'vitest';
import { defaultCoordinatorSettings, GroupCoordinator } from '../../../broker/group/index.js';
import {
  ErrorCode,
  JoinGroup,
  LONG_MAX,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../../protocol/index.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { inWorld, type RawClient } from '../world.js';
import { classicApis } from './classic-apis.js';

/** Longer than what a record, or a string on the wire, can hold. */
const LONG_TEXT = 'x'.repeat(40_000);

function commit(client: RawClient, groupId: string, offset: number, version: number, extra = {}) {
  const topics = [
    {
      name: 'logs',
      partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: 'm' }],
    },
  ];
  return client.ask(OffsetCommit, { groupId, topics, ...extra }, version);
}

async function committed(client: RawClient, groupId: string): Promise<number | undefined> {
  const topics = [{ name: 'logs', partitionIndexes: [0] }];
  const { topics: found } = await client.ask(OffsetFetch, { groupId, topics }, 7);
  return found[0]?.partitions[0]?.committedOffset;
}

const codeOf = (answer: Awaited<ReturnType<typeof commit>>) =>
  answer.topics[0]?.partitions[0]?.errorCode;

const joining = {
  memberId: '',
  groupInstanceId: null,
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 60_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from('subscription') }],
};

describe('a commit', () => {
  it.each([-(2 ** 53) + 1, -1, LONG_MAX])('of the offset %d is refused', (offset) =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      await commit(client, 'g', 5, 9);
      expect(codeOf(await commit(client, 'g', offset, 9))).toBe(ErrorCode.INVALID_REQUEST);
      expect(await committed(client, 'g')).toBe(5);
    }),
  );

  it.each([LONG_MAX, Number.MAX_SAFE_INTEGER, 0])('kept for %d ms is kept', (retentionTimeMs) =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      expect(codeOf(await commit(client, 'g', 7, 3, { retentionTimeMs }))).toBe(ErrorCode.NONE);
      expect(await committed(client, 'g')).toBe(7);
    }),
  );
});

describe('a member', () => {
  it('whose instance id leaves no room for a member id is refused, and harms no other', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const body = { groupId: 'g', ...joining, groupInstanceId: 'x'.repeat(32_760) };
      const refused = await client.ask(JoinGroup, body, 9);
      expect(refused.errorCode).toBe(ErrorCode.INVALID_REQUEST);
      const welcome = await client.ask(JoinGroup, { groupId: 'g', ...joining }, 3);
      expect(welcome.errorCode).toBe(ErrorCode.NONE);
    }));

  it('that brings too large an assignment is told so, and so is who waits with it', () =>
    inWorld({ properties: { 'group.initial.rebalance.delay.ms': 100 } }, async ({ connect }) => {
      const [leading, following] = [await connect(), await connect()];
      const [first, second] = await Promise.all(
        [leading, following].map((one) => one.ask(JoinGroup, { groupId: 'g', ...joining }, 3)),
      );
      const [leader, other] = first?.leader === first?.memberId ? [first, second] : [second, first];
      const sync = (client: RawClient, memberId: string | undefined, bytes: number) =>
        client.ask(
          SyncGroup,
          {
            groupId: 'g',
            generationId: leader?.generationId ?? 0,
            memberId: memberId ?? '',
            assignments:
              bytes === 0 ? [] : [{ memberId: memberId ?? '', assignment: Buffer.alloc(bytes) }],
          },
          3,
        );
      const waiting = sync(following, other?.memberId, 0);
      const answer = await sync(leading, leader?.memberId, 3_000_000);
      expect(answer.errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
      expect((await waiting).errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
    }));
});

describe('the coordinator', () => {
  const coordinator = () => {
    const { clock, random, log } = createSimSystem({ seed: 1 }).process('broker');
    const nowhere = {
      ...{ partitionCount: 1, partitions: () => [], append: async () => {} },
      async *read() {},
    };
    return new GroupCoordinator({ clock, random, log }, nowhere, defaultCoordinatorSettings);
  };
  const request = {
    ...{ ...joining, clientId: 'app', clientHost: '/1.2.3.4' },
    ...{ requiresKnownMemberId: false, knowsSkipAssignment: true },
  };

  it.each([
    ['protocol type', { protocolType: LONG_TEXT }],
    ['protocol', { protocols: [{ name: LONG_TEXT, metadata: Buffer.alloc(0) }] }],
    ['instance id', { groupInstanceId: LONG_TEXT }],
    ['member id', { memberId: LONG_TEXT }],
    ['client id', { clientId: LONG_TEXT }],
  ])('refuses a %s that cannot be stored', async (_, changes) => {
    const reply = await classicApis(coordinator()).join('g', { ...request, ...changes });
    expect(reply.errorCode).toBe(ErrorCode.INVALID_REQUEST);
  });

  it('refuses a group id that cannot be stored', async () => {
    const groups = coordinator();
    const claim = { memberId: '', groupInstanceId: null, generation: -1 };
    expect((await classicApis(groups).join(LONG_TEXT, request)).errorCode).toBe(
      ErrorCode.INVALID_GROUP_ID,
    );
    expect(await groups.commit(LONG_TEXT, claim, [])).toBe(ErrorCode.INVALID_GROUP_ID);
    expect(await classicApis(groups).heartbeat(LONG_TEXT, claim)).toBe(ErrorCode.INVALID_GROUP_ID);
  });

  it('takes two thousand members that come at once, each in the same time', async () => {
    const groups = coordinator();
    const ids = await Promise.all(
      Array.from({ length: 2000 }, async () => {
        const known = { ...request, requiresKnownMemberId: true };
        return (await classicApis(groups).join('g', known)).memberId;
      }),
    );
    const joined = ids.map((memberId) =>
      classicApis(groups).join('g', { ...request, requiresKnownMemberId: true, memberId }),
    );
    const replies = await Promise.all(joined);
    expect(replies.filter(({ generation }) => generation === 1)).toHaveLength(2000);
    const claims = ids.map((memberId) => ({ memberId, groupInstanceId: null, generation: 1 }));
    const before = classicApis(groups).state('g')?.members;
    for (const claim of claims)
      expect(await classicApis(groups).heartbeat('g', claim)).toBe(ErrorCode.NONE);
    // No event copies the members.
    expect(classicApis(groups).state('g')?.members).toBe(before);
    groups.close();
  });
});

describe('the shell of a group', () => {
  it('answers and lives on where a record cannot be made', async () => {
    const sim = createSimSystem({ seed: 1 });
    const { clock, random, log } = sim.process('broker');
    const failures: unknown[] = [];
    const coordinator = new GroupCoordinator(
      { clock, random, log: { ...log, error: (_, fields) => failures.push(fields?.error) } },
      { partitionCount: 1, partitions: () => [], append: async () => {}, async *read() {} },
      defaultCoordinatorSettings,
    );
    const anonymous = { memberId: '', groupInstanceId: null, generation: -1 };
    const entry = (offset: number) => ({
      ...{ topic: 'logs', partition: 0 },
      value: {
        ...{ offset, leaderEpoch: 0, metadata: '', commitTimestamp: 0, expireTimestamp: -1 },
        topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
      },
    });
    const answer = coordinator.commit('g', anonymous, [entry(0.5)]);
    expect(await sim.run(answer)).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
    expect(failures).toHaveLength(1);
    expect(await sim.run(coordinator.commit('g', anonymous, [entry(4)]))).toBe(ErrorCode.NONE);
    expect(coordinator.committed('g').offsets?.get('logs', 0)?.offset).toBe(4);
    coordinator.close();
  });
});
