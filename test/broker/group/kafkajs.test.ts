import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Broker } from '../../../broker/index.js';

/** kafkajs as the judge: whole consumers against a broker on real sockets and files. */
let dataDir: string;
let broker: Broker;
let port = 0;
const consumers: Consumer[] = [];

async function startBroker(): Promise<void> {
  broker = await Broker.start({
    dataDir,
    listeners: [{ listen: { host: '127.0.0.1', port } }],
    topics: { logs: { partitions: 4 } },
  });
  port = broker.port;
}

function kafka(retries = 100): Kafka {
  return new Kafka({
    clientId: 'judge',
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20, maxRetryTime: 100, retries },
  });
}

async function produce(from: number, to: number): Promise<void> {
  const producer = kafka().producer();
  await producer.connect();
  const messages = Array.from({ length: to - from }, (_, index) => ({
    partition: (from + index) % 4,
    value: String(from + index),
  }));
  await producer.send({ topic: 'logs', messages });
  await producer.disconnect();
}

/** What consumers have read, and a way to wait for it. */
class Inbox {
  readonly values: number[] = [];
  /** The partitions of each consumer's last assignment. */
  readonly assignments = new Map<Consumer, readonly number[]>();
  private watchers: (() => void)[] = [];

  changed(): void {
    for (const watcher of this.watchers.splice(0)) watcher();
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.watchers.push(resolve));
  }
}

async function consume(inbox: Inbox): Promise<Consumer> {
  const consumer = kafka().consumer({
    groupId: 'readers',
    sessionTimeout: 6_000,
    heartbeatInterval: 50,
    rebalanceTimeout: 10_000,
    maxWaitTimeInMs: 100,
  });
  consumers.push(consumer);
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    inbox.assignments.set(consumer, payload.memberAssignment.logs ?? []);
    inbox.changed();
  });
  await consumer.connect();
  await consumer.subscribe({ topics: ['logs'], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      inbox.values.push(Number(message.value));
      inbox.changed();
    },
  });
  return consumer;
}

async function leave(consumer: Consumer): Promise<void> {
  consumers.splice(consumers.indexOf(consumer), 1);
  await consumer.disconnect();
}

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'logflume-groups-'));
  port = 0;
  await startBroker();
});

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.disconnect()));
  await broker.stop();
  rmSync(dataDir, { recursive: true });
});

describe('a group of kafkajs consumers', () => {
  it('shares the partitions anew when a member comes and when one goes', async () => {
    await produce(0, 100);
    const inbox = new Inbox();
    const first = await consume(inbox);
    await inbox.until(() => inbox.values.length >= 100);
    expect(inbox.assignments.get(first)).toHaveLength(4);

    const second = await consume(inbox);
    const shares = () => [first, second].map((one) => inbox.assignments.get(one)?.length);
    await inbox.until(() => shares().every((share) => share === 2));
    await produce(100, 200);
    await inbox.until(() => inbox.values.length >= 200);
    // Offsets were committed before the rebalance: nothing is read twice.
    expect(sorted(inbox.values)).toEqual(upTo(200));

    await leave(first);
    await inbox.until(() => inbox.assignments.get(second)?.length === 4);
    await produce(200, 240);
    await inbox.until(() => inbox.values.length >= 240);
    expect(sorted(inbox.values)).toEqual(upTo(240));
  });

  it('goes on where it was after a restart of the broker', async () => {
    await produce(0, 40);
    const inbox = new Inbox();
    const consumer = await consume(inbox);
    await inbox.until(() => inbox.values.length >= 40);
    await leave(consumer);

    const admin = kafka().admin();
    const before = await admin.fetchOffsets({ groupId: 'readers', topics: ['logs'] });
    await admin.disconnect();
    await broker.stop();
    await startBroker();
    const again = kafka().admin();
    expect(await again.fetchOffsets({ groupId: 'readers', topics: ['logs'] })).toEqual(before);
    expect(before[0]?.partitions.map(({ offset }) => offset)).toEqual(['10', '10', '10', '10']);
    await again.disconnect();

    await consume(inbox);
    await produce(40, 80);
    await inbox.until(() => inbox.values.length >= 80);
    expect(sorted(inbox.values)).toEqual(upTo(80));
  });

  it('survives a restart of the broker without leaving the group', async () => {
    const inbox = new Inbox();
    await consume(inbox);
    await produce(0, 20);
    await inbox.until(() => inbox.values.length >= 20);
    await broker.stop();
    await startBroker();
    await produce(20, 40);
    await inbox.until(() => new Set(inbox.values).size >= 40);
    expect(sorted([...new Set(inbox.values)])).toEqual(upTo(40));
  });

  it('can be listed, described and deleted', async () => {
    const inbox = new Inbox();
    const consumer = await consume(inbox);
    await inbox.until(() => inbox.assignments.size === 1);
    const admin = kafka().admin();
    await admin.connect();
    const groups = async () => (await admin.listGroups()).groups.map(({ groupId }) => groupId);
    expect(await groups()).toEqual(['readers']);
    const described = await admin.describeGroups(['readers']);
    expect(described.groups[0]).toMatchObject({
      state: 'Stable',
      protocolType: 'consumer',
      protocol: 'RoundRobinAssigner',
      members: [{ clientId: 'judge', clientHost: '/127.0.0.1' }],
    });
    const impatient = kafka(0).admin();
    await expect(impatient.deleteGroups(['readers'])).rejects.toThrow();
    await impatient.disconnect();
    await leave(consumer);
    await admin.deleteGroups(['readers']);
    expect(await groups()).toEqual([]);
    await admin.disconnect();
  });
});
