import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type AnyApi,
  apis,
  ErrorCode,
  JoinGroup,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../protocol/index.js';
import { SeededRandom } from '../../system/sim/random.js';
import { rounds, seed } from '../rounds.js';
import { changesOf, type Hints, hostile, layoutOf, longTexts } from './hostile-fields.js';
import { batchOf, inWorld, type RawClient, valuesOf, type World } from './world.js';

/** Combinations of hostile fields in each API and version. */
const combinations = 10 * rounds;

const lost: unknown[] = [];
const onLost = (error: unknown) => lost.push(error);
beforeEach(() => {
  lost.length = 0;
  process.on('unhandledRejection', onLost);
  process.on('uncaughtException', onLost);
});
afterEach(() => {
  process.off('unhandledRejection', onLost);
  process.off('uncaughtException', onLost);
});

/** A live member of a group, so that requests that name it get beyond its door. */
async function memberOf(client: RawClient, groupId: string): Promise<Hints> {
  const { memberId, generationId } = await client.ask(
    JoinGroup,
    {
      groupId,
      memberId: '',
      sessionTimeoutMs: 1_800_000,
      rebalanceTimeoutMs: 1_800_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('mine') }],
    },
    3,
  );
  const assignments = [{ memberId, assignment: Buffer.from('all') }];
  await client.ask(SyncGroup, { groupId, generationId, memberId, assignments }, 3);
  return { memberId, generationId, generationIdOrMemberEpoch: generationId };
}

function hintsFor(api: AnyApi, version: number, groupId: string): Hints {
  const isConfigs = api.name.includes('Configs');
  return {
    ...{
      acks: -1,
      timeoutMs: 1000,
      transactionalId: null,
      index: 0,
      maxWaitMs: 5,
      maxBytes: 1 << 20,
    },
    ...{ partitionMaxBytes: 1 << 20, replicaId: -1, sessionEpoch: -1, currentLeaderEpoch: -1 },
    ...{ name: isConfigs ? 'retention.ms' : 'logs', topic: 'logs', resourceName: 'logs' },
    ...{ topicNames: 'logs', resourceType: 2, value: '1000', configurationKeys: null },
    ...{ groupId, groupsNames: groupId, groups: groupId, key: groupId, coordinatorKeys: groupId },
    ...{
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      committedOffset: 3,
    },
    ...{ committedLeaderEpoch: -1, committedMetadata: 'm', retentionTimeMs: -1 },
    ...{ sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, metadata: Buffer.from('mine') },
    ...{ numPartitions: 1, replicationFactor: 1, count: 2, brokerIds: 1, endpointType: 1 },
    ...{ records: batchOf(['hostile']), clientSoftwareName: 'x', clientSoftwareVersion: '1' },
    // A topic that is made is one of this version's own.
    ...(api.name === 'CreateTopics' ? { name: `new-${version}`, brokerIds: undefined } : {}),
  };
}

/** What must be as it was, whatever anybody sends: seen through a connection of its own. */
async function stillServes(client: RawClient, count: number): Promise<void> {
  const answer = await client.produce('kept', 0, batchOf([`value ${count}`]));
  expect(answer).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: count });
  const { records } = await client.fetch('kept', 0, count);
  expect(valuesOf(records)).toEqual([[count, `value ${count}`]]);
  const { topics } = await client.ask(Metadata, { topics: [{ name: 'kept' }] }, 9);
  expect(topics).toMatchObject([{ errorCode: 0, name: 'kept', partitions: [{ leaderId: 1 }] }]);
  const wanted = [{ name: 'kept', partitionIndexes: [0] }];
  const offsets = await client.ask(OffsetFetch, { groupId: 'kept', topics: wanted }, 7);
  expect(offsets.topics[0]?.partitions[0]).toMatchObject({ committedOffset: 4, metadata: 'm' });
}

async function attack({ connect, client: process }: World, api: AnyApi, version: number) {
  const witness = await connect();
  const member = await connect();
  const groupId = `g-${version}`;
  const commit = { partitionIndex: 0, committedOffset: 4, committedMetadata: 'm' };
  const topics = [{ name: 'kept', partitions: [commit] }];
  await witness.ask(OffsetCommit, { groupId: 'kept', topics }, 2);
  const needsMember = [11, 12, 13, 14, 8].includes(api.key);
  const random = new SeededRandom(seed, `${api.name} ${version}`);
  const stranger = { ...hintsFor(api, version, groupId), generationIdOrMemberEpoch: -1 };
  const requests = requestsOf(api, version, stranger, random);
  if (needsMember) {
    const hints = { ...stranger, ...(await memberOf(member, groupId)) };
    requests.push(...requestsOf(api, version, hints, random));
  }
  let evil = await connect();
  let isUseless = false;
  for (const [index, { name, frame }] of requests.entries()) {
    // Behind one that waits, the next would not even be looked at.
    if (isUseless || random.float() < 0.2) {
      evil.connection.destroy();
      evil = await connect();
    }
    const { connection, answered } = evil;
    const before = answered.length;
    const closed = evil.closed.then(() => true);
    connection.write([frame]);
    const within = (ms: number) =>
      Promise.race([closed, process.clock.sleep(ms).then(() => false)]);
    let isClosed = await within(10);
    // Topics are files, which take their time.
    for (let i = 0; i < 60 && !isClosed && answered.length === before; i++) {
      if (mayWait.includes(api.key)) break;
      isClosed = await within(1000);
    }
    const isAnswered = answered.length > before;
    isUseless = isClosed || !isAnswered;
    const where = `${name} (seed ${seed})`;
    // The first is as it should be: all others get as far as it does.
    if (index === 0) expect(isClosed, where).toBe(false);
    if (!mayWait.includes(api.key)) expect(isClosed || isAnswered, where).toBe(true);
    expect(lost, where).toEqual([]);
  }
  evil.connection.destroy();
  await stillServes(witness, 0);
  await stillServes(witness, 1);
  await process.clock.sleep(100_000);
  await stillServes(witness, 2);
  expect(lost, `${api.name} v${version} (seed ${seed})`).toEqual([]);
  return requests.length;
}

/** Produce without acks, a long poll, and members that wait for each other. */
const mayWait = [0, 1, 11, 14];

function requestsOf(api: AnyApi, version: number, hints: Hints, random: SeededRandom) {
  const layout = layoutOf(api, version, hints);
  const single = changesOf(layout);
  const some = () => single[Math.floor(random.float() * single.length)];
  const combined = Array.from({ length: combinations }, () => [some(), some(), some()]);
  return [
    hostile(api, version, layout, []),
    ...single.map((change) => hostile(api, version, layout, [change])),
    ...combined.map((set) =>
      hostile(
        api,
        version,
        layout,
        set.filter((one) => one !== undefined),
      ),
    ),
    ...longTexts(api, version, hints),
  ];
}

describe('every field at its borders harms nobody else', () => {
  const all = [...apis.values()].map((api) => [api.name, api] as const);
  it.each(all)('%s', { timeout: 120_000 }, async (_, api) => {
    for (let version = api.minVersion; version <= api.maxVersion; version++) {
      const topics = { logs: { partitions: 2 }, kept: { partitions: 1 } };
      await inWorld({ topics }, async (world) => {
        expect(await attack(world, api, version)).toBeGreaterThan(0);
      });
    }
  });
});
