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
  it('under a group id of 40,000 bytes is refused', () =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      expect(codeOf(await commit(client, LONG_TEXT, 1, 9))).toBe(ErrorCode.INVALID_GROUP_ID);
      expect(codeOf(await commit(client, 'g', 1, 9))).toBe(ErrorCode.NONE);
    }));

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
  it.each([
    ['protocol type', { protocolType: LONG_TEXT }],
    ['protocol', { protocols: [{ name: LONG_TEXT, metadata: Buffer.alloc(0) }] }],
    ['instance id', { groupInstanceId: LONG_TEXT }],
    ['member id', { memberId: LONG_TEXT }],
    ['instance id that leaves no room for a member id', { groupInstanceId: 'x'.repeat(32_760) }],
  ])('with a long %s is refused, and harms no other', (_, changes) =>
    inWorld({}, async ({ connect }) => {
      const client = await connect();
      const body = { groupId: 'g', ...joining, ...changes };
      const refused = await client.ask(JoinGroup, body, 9);
      expect(refused.errorCode).toBe(ErrorCode.INVALID_REQUEST);
      const welcome = await client.ask(JoinGroup, { groupId: 'g', ...joining }, 3);
      expect(welcome.errorCode).toBe(ErrorCode.NONE);
    }),
  );

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
