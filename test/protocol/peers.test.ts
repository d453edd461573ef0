import { createRequire } from 'node:module';
import * as platformatic from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import * as protocol from '../../protocol/index.js';

const require = createRequire(import.meta.url);

interface Encoded {
  buffer: Buffer;
}
type KafkaJsRequest = { apiKey: number; apiVersion: number; encode(): Promise<Encoded> };
const kafkajsFrame: (input: {
  correlationId: number;
  clientId: string;
  request: KafkaJsRequest;
}) => Promise<Encoded> = require('kafkajs/src/protocol/request.js');

/** A whole request frame as kafkajs writes it. */
async function byKafkaJs(api: string, version: number, input: object): Promise<string> {
  const create = require(`kafkajs/src/protocol/requests/${api}/v${version}/request.js`);
  const frame = await kafkajsFrame({ correlationId: 9, clientId: 'app', request: create(input) });
  return frame.buffer.toString('hex');
}

type Create = (...input: unknown[]) => { buffer: Buffer };

/** A request's body as @platformatic/kafka writes it. */
function byPlatformatic(name: string, ...args: unknown[]): string {
  const apis = platformatic as unknown as Record<string, { createRequest: Create }>;
  const api = apis[name];
  if (api === undefined) throw new Error(`@platformatic/kafka has no ${name}`);
  return api.createRequest(...args).buffer.toString('hex');
}

const hex = (slices: Uint8Array[]) => Buffer.concat(slices).toString('hex');

function frame<Q, P, QI, PI>(api: protocol.Api<Q, P, QI, PI>, version: number, body: QI): string {
  return hex(protocol.encodeRequest(api, version, 9, 'app', body));
}

const uuid = '6f9619ff-8b86-d011-b42d-00cf4fc964ff';
const topicId = Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url');

describe('the same bytes as kafkajs', () => {
  it('ApiVersions v0', async () => {
    expect(frame(protocol.ApiVersions, 0, {})).toBe(await byKafkaJs('apiVersions', 0, {}));
  });

  it.each([4, 5, 6])('Metadata v%i', async (version) => {
    const ours = frame(protocol.Metadata, version, {
      topics: [{ name: 'a' }, { name: 'ü' }],
      allowAutoTopicCreation: false,
    });
    const input = { topics: ['a', 'ü'], allowAutoTopicCreation: false };
    expect(ours).toBe(await byKafkaJs('metadata', version, input));
  });

  it.each([7, 9, 11])('Fetch v%i', async (version) => {
    const ours = frame(protocol.Fetch, version, {
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 1000,
      isolationLevel: 1,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        {
          topic: 't',
          partitions: [{ partition: 2, fetchOffset: 7_000_000_000, partitionMaxBytes: 99 }],
        },
      ],
      rackId: version >= 11 ? 'r1' : '',
    });
    const partitions = [
      { partition: 2, currentLeaderEpoch: -1, fetchOffset: '7000000000', maxBytes: 99 },
    ];
    const input = {
      ...{ replicaId: -1, maxWaitTime: 500, minBytes: 1, maxBytes: 1000, isolationLevel: 1 },
      ...{ sessionId: 0, sessionEpoch: -1, rackId: 'r1', forgottenTopics: [] },
      topics: [{ topic: 't', partitions }],
    };
    expect(ours).toBe(await byKafkaJs('fetch', version, input));
  });

  it('JoinGroup v5', async () => {
    const metadata = Buffer.from('meta');
    const ours = frame(protocol.JoinGroup, 5, {
      ...{ groupId: 'g', sessionTimeoutMs: 10, rebalanceTimeoutMs: 20, memberId: '' },
      ...{
        groupInstanceId: 'i',
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata }],
      },
    });
    const input = {
      ...{ groupId: 'g', sessionTimeout: 10, rebalanceTimeout: 20, memberId: '' },
      ...{
        groupInstanceId: 'i',
        protocolType: 'consumer',
        groupProtocols: [{ name: 'range', metadata }],
      },
    };
    expect(ours).toBe(await byKafkaJs('joinGroup', 5, input));
  });

  it('OffsetCommit v5 and OffsetFetch v4', async () => {
    const commit = frame(protocol.OffsetCommit, 5, {
      ...{ groupId: 'g', generationIdOrMemberEpoch: 3, memberId: 'm' },
      topics: [
        {
          name: 't',
          partitions: [{ partitionIndex: 0, committedOffset: 77, committedMetadata: null }],
        },
      ],
    });
    const topics = [{ topic: 't', partitions: [{ partition: 0, offset: '77' }] }];
    const input = { groupId: 'g', groupGenerationId: 3, memberId: 'm', topics };
    expect(commit).toBe(await byKafkaJs('offsetCommit', 5, input));
    const fetch = frame(protocol.OffsetFetch, 4, {
      groupId: 'g',
      topics: [{ name: 't', partitionIndexes: [0, 1] }],
    });
    const wanted = [{ topic: 't', partitions: [{ partition: 0 }, { partition: 1 }] }];
    expect(fetch).toBe(await byKafkaJs('offsetFetch', 4, { groupId: 'g', topics: wanted }));
  });

  it('ListOffsets v3', async () => {
    const ours = frame(protocol.ListOffsets, 3, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: 't', partitions: [{ partitionIndex: 1, timestamp: -2 }] }],
    });
    const topics = [{ topic: 't', partitions: [{ partition: 1, timestamp: -2 }] }];
    const input = { replicaId: -1, isolationLevel: 0, topics };
    expect(ours).toBe(await byKafkaJs('listOffsets', 3, input));
  });

  it('CreateTopics v3 and DeleteTopics v1', async () => {
    const create = frame(protocol.CreateTopics, 3, {
      topics: [
        {
          ...{ name: 't', numPartitions: 2, replicationFactor: 1, assignments: [] },
          configs: [{ name: 'retention.ms', value: '5' }],
        },
      ],
      timeoutMs: 100,
      validateOnly: true,
    });
    const configEntries = [{ name: 'retention.ms', value: '5' }];
    const topic = { topic: 't', numPartitions: 2, replicationFactor: 1, configEntries };
    const input = { topics: [topic], timeout: 100, validateOnly: true };
    expect(create).toBe(await byKafkaJs('createTopics', 3, input));
    const remove = frame(protocol.DeleteTopics, 1, { topicNames: ['t', 'u'], timeoutMs: 7 });
    expect(remove).toBe(await byKafkaJs('deleteTopics', 1, { topics: ['t', 'u'], timeout: 7 }));
  });
});

describe('the same bytes as @platformatic/kafka', () => {
  it('Fetch v17', () => {
    const partition = {
      partition: 0,
      currentLeaderEpoch: 4,
      lastFetchedEpoch: -1,
      partitionMaxBytes: 10,
    };
    const theirs = byPlatformatic(
      ...(['fetchV17', 500, 1, 1000, 0, 0, -1] as const),
      ...[[{ topicId: uuid, partitions: [{ ...partition, fetchOffset: 5n }] }], [], ''],
    );
    const topics = [{ topicId, partitions: [{ ...partition, fetchOffset: 5 }] }];
    const ours = { maxWaitMs: 500, minBytes: 1, maxBytes: 1000, topics };
    expect(hex(protocol.Fetch.request.write(ours, 17))).toBe(theirs);
  });

  it('Metadata v12, FindCoordinator v6, InitProducerId v5', () => {
    const metadata = protocol.Metadata.request.write({ topics: [{ name: 'x' }] }, 12);
    expect(hex(metadata)).toBe(byPlatformatic('metadataV12', ['x'], true, false));
    const find = protocol.FindCoordinator.request.write({ keyType: 0, coordinatorKeys: ['g'] }, 6);
    expect(hex(find)).toBe(byPlatformatic('findCoordinatorV6', 0, ['g']));
    const init = protocol.InitProducerId.request.write(
      { transactionalId: null, transactionTimeoutMs: 60000, producerId: 12, producerEpoch: 3 },
      5,
    );
    expect(hex(init)).toBe(byPlatformatic('initProducerIdV5', null, 60000, 12n, 3));
  });

  it('JoinGroup v9, SyncGroup v5, Heartbeat v4, LeaveGroup v5', () => {
    const metadata = Buffer.from('meta');
    const join = protocol.JoinGroup.request.write(
      {
        ...{ groupId: 'g', sessionTimeoutMs: 1, rebalanceTimeoutMs: 2, memberId: 'm' },
        ...{ protocolType: 'consumer', protocols: [{ name: 'p', metadata }], reason: 'why' },
      },
      9,
    );
    const protocols = [{ name: 'p', metadata }];
    const theirs = ['joinGroupV9', 'g', 1, 2, 'm', null, 'consumer', protocols, 'why'] as const;
    expect(hex(join)).toBe(byPlatformatic(...theirs));
    const assignment = Buffer.from('mine');
    const sync = protocol.SyncGroup.request.write(
      {
        ...{ groupId: 'g', generationId: 1, memberId: 'm', protocolType: 'consumer' },
        ...{ protocolName: 'p', assignments: [{ memberId: 'm', assignment }] },
      },
      5,
    );
    const assignments = [{ memberId: 'm', assignment }];
    expect(hex(sync)).toBe(
      byPlatformatic('syncGroupV5', 'g', 1, 'm', null, 'consumer', 'p', assignments),
    );
    const beat = protocol.Heartbeat.request.write(
      { groupId: 'g', generationId: 1, memberId: 'm' },
      4,
    );
    expect(hex(beat)).toBe(byPlatformatic('heartbeatV4', 'g', 1, 'm', null));
    const leave = protocol.LeaveGroup.request.write(
      { groupId: 'g', members: [{ memberId: 'm', reason: 'bye' }] },
      5,
    );
    const members = [{ memberId: 'm', groupInstanceId: null, reason: 'bye' }];
    expect(hex(leave)).toBe(byPlatformatic('leaveGroupV5', 'g', members));
  });

  it('OffsetCommit v9, OffsetForLeaderEpoch v4, CreateTopics v7, DescribeCluster v1', () => {
    const part = { partitionIndex: 0, committedLeaderEpoch: -1, committedMetadata: 'x' };
    const commit = protocol.OffsetCommit.request.write(
      {
        ...{ groupId: 'g', generationIdOrMemberEpoch: 2, memberId: 'm' },
        topics: [{ name: 't', partitions: [{ ...part, committedOffset: 4 }] }],
      },
      9,
    );
    const topics = [{ name: 't', partitions: [{ ...part, committedOffset: 4n }] }];
    expect(hex(commit)).toBe(byPlatformatic('offsetCommitV9', 'g', 2, 'm', null, topics));
    const epochs = [
      { topic: 't', partitions: [{ partition: 0, currentLeaderEpoch: 1, leaderEpoch: 1 }] },
    ];
    const epoch = protocol.OffsetForLeaderEpoch.request.write({ replicaId: -1, topics: epochs }, 4);
    const theirs = [
      { name: 't', partitions: [{ index: 0, currentLeaderEpoch: 1, leaderEpoch: 1 }] },
    ];
    expect(hex(epoch)).toBe(byPlatformatic('offsetForLeaderEpochV4', -1, theirs));
    const topic = { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [] };
    const created = [{ ...topic, configs: [{ name: 'a', value: 'b' }] }];
    const create = protocol.CreateTopics.request.write({ topics: created, timeoutMs: 5 }, 7);
    expect(hex(create)).toBe(byPlatformatic('createTopicsV7', created, 5, false));
    const cluster = { includeClusterAuthorizedOperations: true, endpointType: 1 };
    const describeCluster = protocol.DescribeCluster.request.write(cluster, 1);
    expect(hex(describeCluster)).toBe(byPlatformatic('describeClusterV1', true, 1));
  });
});
