import { expect, it } from 'vitest';
import { handlers } from '../../broker/api/index.js';
import type { Authorizer } from '../../broker/authorizer.js';
import type { Session } from '../../broker/session.js';
import {
  type Api,
  CreatePartitions,
  CreateTopics,
  DeleteGroups,
  DeleteTopics,
  DescribeConfigs,
  DescribeGroups,
  ErrorCode,
  Fetch,
  FindCoordinator,
  Heartbeat,
  IncrementalAlterConfigs,
  InitProducerId,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  OffsetForLeaderEpoch,
  Produce,
  SyncGroup,
} from '../../protocol/index.js';
import { batchOf, inWorld, type RawClient, type World } from './world.js';

/** What a broker asked its authorizer; everything is allowed, or nothing. */
function watch(broker: World['broker'], isAllowed: boolean) {
  const asked: string[] = [];
  const sessions = new Set<Session>();
  const authorizer: Authorizer = (session, operation, type, name) => {
    sessions.add(session);
    asked.push(`${operation} ${type} ${name}`);
    return isAllowed;
  };
  Object.assign(Reflect.get(broker, 'services'), { authorizer });
  return { asked, sessions };
}

interface Row {
  readonly key: number;
  /** What is asked, the first time it is; as Kafka's documentation of its ACLs has it. */
  readonly asks: readonly string[];
  send(client: RawClient): Promise<unknown>;
}

function row<Q, P, QI, PI>(
  api: Api<Q, P, QI, PI>,
  version: number,
  body: QI,
  ...asks: string[]
): Row {
  return { key: api.key, asks, send: (client) => client.ask(api, body, version) };
}

const group = { groupId: 'g', memberId: 'm' };
const records = batchOf(['a']);
const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 100 };
const topic = { resourceType: 2, resourceName: 'logs' };
const newTopic = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
const joining = {
  ...{ ...group, groupInstanceId: null, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000 },
  ...{ protocolType: 'consumer', protocols: [] },
};
const committed = { partitionIndex: 0, committedOffset: 1, committedMetadata: '' };
const produced = { name: 'logs', partitionData: [{ index: 0, records }] };
const epochs = [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }];

const rows: readonly Row[] = [
  row(Produce, 12, { acks: 1, timeoutMs: 1, topicData: [produced] }, 'WRITE TOPIC logs'),
  row(
    Fetch,
    12,
    { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 'logs', partitions: [partition] }] },
    'READ TOPIC logs',
  ),
  row(
    ListOffsets,
    5,
    {
      replicaId: -1,
      topics: [{ name: 'logs', partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    },
    'DESCRIBE TOPIC logs',
  ),
  row(Metadata, 12, { topics: [{ name: 'logs' }] }, 'DESCRIBE TOPIC logs'),
  row(
    OffsetCommit,
    8,
    { ...group, generationIdOrMemberEpoch: 1, topics: [{ name: 'logs', partitions: [committed] }] },
    'READ TOPIC logs',
    'READ GROUP g',
  ),
  row(
    OffsetFetch,
    7,
    { groupId: 'g', topics: [{ name: 'logs', partitionIndexes: [0] }] },
    'DESCRIBE GROUP g',
    'DESCRIBE TOPIC logs',
  ),
  row(FindCoordinator, 3, { key: 'g', keyType: 0 }, 'DESCRIBE GROUP g'),
  row(JoinGroup, 9, joining, 'READ GROUP g'),
  row(Heartbeat, 4, { ...group, generationId: 1 }, 'READ GROUP g'),
  row(LeaveGroup, 2, group, 'READ GROUP g'),
  row(SyncGroup, 5, { ...group, generationId: 1, assignments: [] }, 'READ GROUP g'),
  row(DescribeGroups, 6, { groups: ['g'] }, 'DESCRIBE GROUP g'),
  row(ListGroups, 5, {}, 'DESCRIBE CLUSTER kafka-cluster'),
  row(
    CreateTopics,
    7,
    { topics: [{ name: 'new', ...newTopic }], timeoutMs: 1 },
    'CREATE CLUSTER kafka-cluster',
  ),
  row(
    InitProducerId,
    5,
    { transactionalId: null, transactionTimeoutMs: 1 },
    'IDEMPOTENT_WRITE CLUSTER kafka-cluster',
  ),
  row(
    OffsetForLeaderEpoch,
    4,
    { replicaId: -1, topics: [{ topic: 'logs', partitions: epochs }] },
    'DESCRIBE TOPIC logs',
  ),
  row(
    DescribeConfigs,
    4,
    { resources: [{ ...topic, configurationKeys: null }] },
    'DESCRIBE_CONFIGS TOPIC logs',
  ),
  row(
    CreatePartitions,
    3,
    { topics: [{ name: 'logs', count: 3, assignments: null }], timeoutMs: 1, validateOnly: true },
    'ALTER TOPIC logs',
  ),
  row(
    IncrementalAlterConfigs,
    1,
    { resources: [{ ...topic, configs: [] }], validateOnly: true },
    'ALTER_CONFIGS TOPIC logs',
  ),
  row(DeleteGroups, 2, { groupsNames: ['g'] }, 'DELETE GROUP g'),
  row(
    DeleteTopics,
    5,
    { topicNames: ['logs'], timeoutMs: 1 },
    'DESCRIBE TOPIC logs',
    'DELETE TOPIC logs',
  ),
];

/** ApiVersions and DescribeCluster: anybody may know, as in Kafka. */
const free = [18, 60];

it('is asked about by every API, each for what Kafka asks', () =>
  inWorld({}, async ({ broker, connect }) => {
    expect([...rows.map(({ key }) => key), ...free].sort()).toEqual([...handlers.keys()].sort());
    const client = await connect();
    for (const { send, asks } of rows) {
      const { asked } = watch(broker, true);
      await send(client);
      expect([...new Set(asked)]).toEqual(asks);
    }
  }));

it('is refused with Kafka’s codes to whom nothing is allowed', () =>
  inWorld({}, async ({ broker, connect }) => {
    const client = await connect();
    const codes: number[] = [
      ErrorCode.TOPIC_AUTHORIZATION_FAILED,
      ErrorCode.GROUP_AUTHORIZATION_FAILED,
      ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
    ];
    watch(broker, false);
    for (const { send, key } of rows) {
      const answer = JSON.stringify(await send(client));
      const found = [...answer.matchAll(/"errorCode":(\d+)/g)].map(([, code]) => Number(code));
      // ListGroups leaves out what may not be seen.
      const expected = key === ListGroups.key ? [ErrorCode.NONE] : codes;
      expect(
        found.some((code) => expected.includes(code)),
        `API ${key}: ${answer}`,
      ).toBe(true);
    }
  }));

/** A broker with an offset of the group `g` in `logs`, that then allows what `isAllowed` says. */
async function committedIn({ broker, connect }: World, isAllowed: (asked: string) => boolean) {
  const client = await connect();
  const logs = { name: 'logs', partitions: [committed] };
  await client.ask(OffsetCommit, { groupId: 'g', topics: [logs] }, 8);
  const authorizer: Authorizer = (_, operation, type, name) =>
    isAllowed(`${operation} ${type} ${name}`);
  Object.assign(Reflect.get(broker, 'services'), { authorizer });
  return client;
}

it('shows nobody the offsets of a topic that is hidden from them, whichever version asks', () =>
  inWorld({}, async (world) => {
    const { topics } = await (await world.connect()).ask(Metadata, { topics: null }, 12);
    const client = await committedIn(world, (asked) => !asked.endsWith('TOPIC logs'));
    const { topicId } = topics[0] ?? {};
    for (let version = OffsetFetch.minVersion; version <= OffsetFetch.maxVersion; version++) {
      const wanted = [{ name: 'logs', topicId: topicId as string, partitionIndexes: [0] }];
      const named = { groupId: 'g', topics: wanted };
      const answer = await client.ask(OffsetFetch, { ...named, groups: [named] }, version);
      const found = (answer.groups[0] ?? answer).topics[0]?.partitions;
      const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
      expect(found, `version ${version}`).toMatchObject([{ committedOffset: -1, errorCode }]);
      if (version < 2) continue;
      const all = { groupId: 'g', topics: null };
      const every = await client.ask(OffsetFetch, { ...all, groups: [all] }, version);
      expect((every.groups[0] ?? every).topics, `version ${version}`).toEqual([]);
    }
  }));

it('makes no topic for who may not see it, nor shows what it found', () =>
  inWorld({}, async (world) => {
    const client = await committedIn(world, (asked) => !asked.startsWith('DESCRIBE TOPIC'));
    const named = ['logs', 'new', 'no name!'].map((name) => ({ name }));
    const { topics } = await client.ask(Metadata, { topics: named }, 12);
    const { TOPIC_AUTHORIZATION_FAILED: errorCode } = ErrorCode;
    expect(topics).toMatchObject(named.map(({ name }) => ({ name, errorCode, partitions: [] })));
    Object.assign(Reflect.get(world.broker, 'services'), { authorizer: () => true });
    const all = await client.ask(Metadata, { topics: null }, 12);
    expect(all.topics.map(({ name }) => name)).not.toContain('new');
  }));

it('is asked about in the name of one session per connection and client id', () =>
  inWorld({}, async ({ broker, connect }) => {
    const { sessions } = watch(broker, true);
    const [one, other] = [await connect(), await connect()];
    for (const client of [one, one, other]) await client.fetch('logs', 0, 0);
    const listener = `127.0.0.1:${broker.port}`;
    const principal = { type: 'User', name: 'ANONYMOUS' };
    const session = { listener, host: '/127.0.0.1', clientId: 'test', principal };
    expect([...sessions]).toEqual([session, session]);
  }));
