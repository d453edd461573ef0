import { describe, expect, it } from 'vitest';
import { Broker } from '../../../broker/index.js';
import { Connection } from '../../../client/connection/index.js';
import {
  type Api,
  DeleteGroups,
  DescribeGroups,
  ErrorCode,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../../protocol/index.js';
import { createSimSystem } from '../../../system/sim/index.js';

const highest = Math.max(
  ...[JoinGroup, SyncGroup, OffsetCommit, OffsetFetch].map((api) => api.maxVersion),
);

/** A client that speaks no later version than it is told, on a broker in a simulated world. */
class Client {
  constructor(
    private readonly connection: Connection,
    readonly maxVersion: number,
  ) {}

  ask<Q, P, QI, PI>(api: Api<Q, P, QI, PI>, body: QI): Promise<P> {
    return this.connection.request(api, body, { maxVersion: this.version(api) });
  }

  version(api: { minVersion: number; maxVersion: number }): number {
    return Math.max(api.minVersion, Math.min(api.maxVersion, this.maxVersion));
  }
}

async function inWorld(
  story: (connect: (maxVersion?: number) => Promise<Client>) => Promise<void>,
) {
  const sim = createSimSystem({ seed: 5 });
  await sim.run(async () => {
    const options = { dataDir: '/data', topics: { logs: { partitions: 2 } } };
    const broker = await Broker.start(options, sim.process('broker'));
    const system = sim.process('client');
    await story(async (maxVersion = 99) => {
      const { port } = broker;
      const where = { host: '127.0.0.1', port, clientId: 'app' };
      return new Client(await Connection.connect(system, where), maxVersion);
    });
    await broker.stop();
  });
}

const versions = Array.from({ length: highest + 1 }, (_, version) => version);

describe('the group APIs', () => {
  it.each(versions)('serve a member that speaks versions up to %i', (maxVersion) =>
    inWorld(async (connect) => {
      const client = await connect(maxVersion);
      const { topics } = await (await connect()).ask(Metadata, { topics: null });
      const { topicId } = topics.find(({ name }) => name === 'logs')!;
      const named = client.version(OffsetCommit) >= 10 ? { topicId } : { name: 'logs' };

      const found = await client.ask(FindCoordinator, { key: 'g', coordinatorKeys: ['g'] });
      const place = client.version(FindCoordinator) >= 4 ? found.coordinators[0] : found;
      expect(place).toMatchObject({ errorCode: 0, nodeId: 1, host: '127.0.0.1' });

      const join = {
        groupId: 'g',
        sessionTimeoutMs: 10_000,
        memberId: '',
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.from('what I read') }],
      };
      let joined = await client.ask(JoinGroup, join);
      if (client.version(JoinGroup) >= 4) {
        expect(joined).toMatchObject({ errorCode: ErrorCode.MEMBER_ID_REQUIRED, leader: '' });
        joined = await client.ask(JoinGroup, { ...join, memberId: joined.memberId });
      }
      const { memberId, generationId } = joined;
      expect(joined).toMatchObject({ errorCode: 0, generationId: 1, leader: memberId });
      expect(joined.protocolName).toBe('range');
      expect(joined.members.map((member) => member.metadata.toString())).toEqual(['what I read']);

      const me = { groupId: 'g', memberId, generationId };
      const synced = await client.ask(SyncGroup, {
        ...me,
        assignments: [{ memberId, assignment: Buffer.from('everything') }],
      });
      expect(synced.errorCode).toBe(0);
      expect(synced.assignment.toString()).toBe('everything');
      expect((await client.ask(Heartbeat, me)).errorCode).toBe(0);

      const committed = await client.ask(OffsetCommit, {
        groupId: 'g',
        memberId,
        generationIdOrMemberEpoch: generationId,
        topics: [
          {
            ...named,
            partitions: [
              { partitionIndex: 0, committedOffset: 7, committedMetadata: 'words' },
              { partitionIndex: 1, committedOffset: 8, committedMetadata: 'x'.repeat(4_097) },
              { partitionIndex: 2, committedOffset: 9, committedMetadata: null },
            ],
          },
        ],
      });
      expect(committed.topics[0]?.partitions.map(({ errorCode }) => errorCode)).toEqual([
        ErrorCode.NONE,
        ErrorCode.OFFSET_METADATA_TOO_LARGE,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ]);

      await expectOffsets(client, named);
      await expectDescription(client, memberId);

      const leave = await client.ask(LeaveGroup, {
        groupId: 'g',
        memberId,
        ...(client.version(LeaveGroup) >= 3 ? { members: [{ memberId }] } : {}),
      });
      expect(leave.errorCode).toBe(0);
      if (client.version(LeaveGroup) >= 3) {
        expect(leave.members).toEqual([{ memberId, groupInstanceId: null, errorCode: 0 }]);
      }
      expect((await client.ask(Heartbeat, me)).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID);
      const deleted = await client.ask(DeleteGroups, { groupsNames: ['g', 'other'] });
      expect(deleted.results.map(({ errorCode }) => errorCode)).toEqual([
        ErrorCode.NONE,
        ErrorCode.GROUP_ID_NOT_FOUND,
      ]);
    }),
  );

  it('tell what is not there in the way of each version', () =>
    inWorld(async (connect) => {
      const old = await connect(5);
      const latest = await connect();
      const describe = { groups: ['none'] };
      expect((await old.ask(DescribeGroups, describe)).groups[0]).toMatchObject({
        errorCode: 0,
        groupState: 'Dead',
      });
      expect((await latest.ask(DescribeGroups, describe)).groups[0]).toMatchObject({
        errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
        errorMessage: 'there is no group none',
      });
      const topicId = 'AAAAAAAAAAAAAAAAAAAABw';
      const unknown = await latest.ask(OffsetFetch, {
        groups: [{ groupId: 'none', topics: [{ topicId, partitionIndexes: [0] }] }],
      });
      expect(unknown.groups[0]?.topics[0]).toMatchObject({
        topicId,
        partitions: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID, committedOffset: -1 }],
      });
      const commit = await latest.ask(OffsetCommit, {
        groupId: 'none',
        memberId: '',
        topics: [
          {
            topicId,
            partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }],
          },
        ],
      });
      expect(commit.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID);
      const join = await latest.ask(JoinGroup, {
        groupId: '',
        sessionTimeoutMs: 10_000,
        memberId: '',
        protocolType: 'consumer',
        protocols: [],
      });
      expect(join.errorCode).toBe(ErrorCode.INVALID_GROUP_ID);
      const transactions = await latest.ask(FindCoordinator, {
        keyType: 1,
        coordinatorKeys: ['t'],
      });
      expect(transactions.coordinators[0]).toMatchObject({
        key: 't',
        errorCode: ErrorCode.INVALID_REQUEST,
        errorMessage: 'this broker has no transactions yet',
      });
    }));
});

async function expectOffsets(client: Client, named: { name?: string; topicId?: string }) {
  const topics = [{ ...named, partitionIndexes: [0, 1] }];
  for (const wanted of client.version(OffsetFetch) < 2 ? [topics] : [topics, null]) {
    const answer = await client.ask(OffsetFetch, {
      groupId: 'g',
      topics: wanted?.map(({ partitionIndexes }) => ({ name: 'logs', partitionIndexes })) ?? wanted,
      groups: [{ groupId: 'g', topics: wanted }],
    });
    const group = client.version(OffsetFetch) >= 8 ? answer.groups[0] : answer;
    expect(group?.errorCode).toBe(0);
    expect(group?.topics).toHaveLength(1);
    expect(group?.topics[0]).toMatchObject(named);
    const [first, second] = group?.topics[0]?.partitions ?? [];
    expect(first).toMatchObject({
      ...{ partitionIndex: 0, committedOffset: 7, metadata: 'words', errorCode: 0 },
    });
    if (wanted === null) expect(second).toBeUndefined();
    else expect(second).toMatchObject({ committedOffset: -1, errorCode: 0 });
  }
}

async function expectDescription(client: Client, memberId: string) {
  const { groups } = await client.ask(DescribeGroups, { groups: ['g'] });
  expect(groups[0]).toMatchObject({
    errorCode: 0,
    groupState: 'Stable',
    protocolType: 'consumer',
    protocolData: 'range',
    members: [{ memberId, clientId: 'app', clientHost: '/127.0.0.1' }],
  });
  expect(groups[0]?.members[0]?.memberAssignment.toString()).toBe('everything');
  const listed = async (statesFilter: string[], typesFilter: string[]) => {
    const answer = await client.ask(ListGroups, { statesFilter, typesFilter });
    return answer.groups.map(({ groupId }) => groupId);
  };
  expect(await listed([], [])).toEqual(['g']);
  if (client.version(ListGroups) >= 4) {
    expect(await listed(['Stable'], [])).toEqual(['g']);
    expect(await listed(['Empty', 'Dead'], [])).toEqual([]);
  }
  if (client.version(ListGroups) >= 5) {
    expect(await listed([], ['Classic'])).toEqual(['g']);
    expect(await listed([], ['consumer'])).toEqual([]);
  }
}
