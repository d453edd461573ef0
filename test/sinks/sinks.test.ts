import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Broker } from '../../broker/index.js';
import { Admin, Consumer, Producer } from '../../client/index.js';
import {
  archiveCoverage,
  directoryArchive,
  listArchive,
  lookAtCluster,
  Sinks,
  sinksSection,
  verifyArchive,
} from '../../sinks/index.js';
import { createRealSystem } from '../../system/real/index.js';

const system = createRealSystem({ logLevel: 'error' });
let directory: string;
let broker: Broker;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'logflume-sinks-'));
  broker = await Broker.start({ dataDir: join(directory, 'broker') }, system);
});
afterEach(async () => {
  await broker.stop();
  rmSync(directory, { recursive: true, force: true });
});

function startSinks(sinks: Record<string, unknown>): Promise<Sinks> {
  return Sinks.start(system, {
    config: sinksSection().parse(sinks),
    kafka: { bootstrap: [broker.address], client_id: 'here' },
    dataDir: join(directory, 'sinks'),
  });
}

function files(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((name) => !/(^|\/)[_.]/.test(name))
    .sort();
}

async function produce(values: readonly string[], key: string | null = null): Promise<void> {
  const producer = new Producer({ bootstrap: [broker.address] }, system);
  await producer.send(values.map((value) => ({ topic: 'logs', key, value, timestamp: 0 })));
  await producer.close();
}

describe('the archive sink on a broker', () => {
  it('publishes what it holds beyond max_bytes, though no rotation is due', async () => {
    const root = join(directory, 'archive');
    const sink = {
      type: 'archive',
      topics: ['logs'],
      store: { type: 'local', root },
      rotate: { age: '1h', first: '1h', idle: '1h' },
      max_bytes: '64KiB',
    };
    await produce(Array.from({ length: 100 }, () => 'x'.repeat(1_000)));
    const sinks = await startSinks({ archive: sink });
    await expect.poll(() => files(root).length, { timeout: 10_000 }).toBeGreaterThan(0);
    await produce(['few']);
    await expect.poll(() => sinks.status().archive?.lag, { timeout: 10_000 }).toBe(1);
    expect(files(root)).toHaveLength(1);
    await sinks.stop();
  });

  it('archives a topic, and goes on after a restart', async () => {
    const root = join(directory, 'archive');
    const config = {
      archive: { type: 'archive', topics: ['logs'], store: { type: 'local', root } },
    };
    const first = await startSinks(config);
    await produce(['one', 'two', 'three'], 'host:/a');
    expect(await first.drain(20_000)).toBe(true);
    await first.stop();
    await produce(['four'], 'host:/a');
    const second = await startSinks(config);
    expect(await second.drain(20_000)).toBe(true);
    const status = second.status().archive;
    const admin = new Admin({ bootstrap: [broker.address] }, system);
    const group = await admin.describeGroup('logflume-archive');
    expect(group.members.map(({ clientId }) => clientId)).toEqual(['here-archive']);
    await admin.close();
    expect(status).toMatchObject({
      type: 'archive',
      group: 'logflume-archive',
      records: 1,
      lag: 0,
    });
    await second.stop();

    const contents = files(root).map((name) => readFileSync(join(root, name), 'utf8'));
    expect(contents.join('')).toBe('one\ntwo\nthree\nfour\n');
    const store = directoryArchive(root).open({ system, writer: 'test' });
    expect(await verifyArchive(store)).toMatchObject({ problems: [], records: 4, openClaims: 0 });
    expect((await listArchive(store)).map(({ state }) => state)).toEqual(['done', 'done']);

    await produce(['five']);
    const asked = new Admin({ bootstrap: [broker.address] }, system);
    const groups = [{ sink: 'archive', group: 'logflume-archive' }];
    const look = () => lookAtCluster(asked, groups);
    const coverage = { from: 0, archivedTo: 4, topicStart: 0, topicEnd: 5, committed: 4, lag: 1 };
    expect(await archiveCoverage(store, await look())).toMatchObject([coverage]);
    expect(await verifyArchive(store, { look })).toMatchObject({
      problems: [],
      partitions: [coverage],
    });
    rmSync(root, { recursive: true });
    expect((await verifyArchive(store, { look })).problems).toMatchObject([
      { kind: 'claims missing', name: 'sink archive, topic logs, partition 0' },
    ]);
    await asked.close();
  });
});

describe('topics that come and go', () => {
  it('waits for a topic, and archives one that is created anew as another', async () => {
    const root = join(directory, 'archive');
    const sinks = await startSinks({
      archive: { type: 'archive', topics: ['logs'], store: { type: 'local', root } },
    });
    const admin = new Admin({ bootstrap: [broker.address] }, system);
    const topic = { name: 'logs', partitions: 2, replicationFactor: 1 };
    await admin.createTopic(topic);
    await produce(['old one', 'old two'], 'a');
    expect(await sinks.drain(20_000)).toBe(true);
    // Read, and not archived yet when the topic goes.
    await produce(['old three'], 'a');
    await until(() => heldRecords(sinks) === 1);
    await admin.deleteTopic('logs');
    await admin.createTopic(topic);
    await produce(['new one'], 'a');
    await until(() => files(root).length === 2);
    expect(await sinks.drain(20_000)).toBe(true);
    await sinks.stop();
    admin.close();
    const contents = files(root).map((name) => readFileSync(join(root, name), 'utf8'));
    expect(contents.sort()).toEqual(['new one\n', 'old one\nold two\n', 'old three\n']);
    const store = directoryArchive(root).open({ system, writer: 'test' });
    expect((await verifyArchive(store)).problems).toEqual([]);
  });
});

describe('the http sink on a broker', () => {
  it('sends a topic, and what is refused to the dead-letter topic', async () => {
    const bodies: string[] = [];
    const users = new Set<unknown>();
    const server = createServer((request, response) => {
      users.add(request.headers.authorization);
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const body = Buffer.concat(parts).toString();
        const isRefused = body.includes('poison');
        if (!isRefused) bodies.push(body);
        response.writeHead(isRefused ? 422 : 204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const sinks = await startSinks({
      notify: {
        type: 'http',
        topics: ['logs'],
        url: `http://me:s3cr%3At@127.0.0.1:${port}/in`,
        format: 'lines',
        batch: { linger: '50ms' },
        dead_letter: 'dead',
      },
    });
    await produce(['one', 'poison', 'three']);
    expect(await sinks.drain(20_000)).toBe(true);
    expect(sinks.status().notify).toMatchObject({ type: 'http', records: 2, lag: 0 });
    await sinks.stop();
    server.close();
    expect(bodies.join('')).toBe('one\nthree\n');
    expect([...users]).toEqual([`Basic ${Buffer.from('me:s3cr:t').toString('base64')}`]);
    const [dead] = await read('dead');
    expect(dead?.value).toBe('poison');
    expect(dead?.headers['logflume.dead_letter.topic']).toBe('logs');
    expect(dead?.headers['logflume.dead_letter.offset']).toBe('1');
  });
});

it('refuses a folder that another process uses', async () => {
  const sinks = await startSinks({});
  await expect(startSinks({})).rejects.toMatchObject({ code: 'DIRECTORY_LOCKED' });
  await sinks.stop();
  await (await startSinks({})).stop();
});

it('masks the values of headers and what is secret in a URL', () => {
  const section = {
    n: {
      type: 'http',
      topics: ['t'],
      url: 'https://u:s3cret@x/?k=s3cret',
      headers: { a: 's3cret' },
    },
  };
  expect(JSON.stringify(sinksSection().parse(section))).not.toContain('s3cret');
});

function heldRecords(sinks: Sinks): number {
  const { partitions } = sinks.status().archive ?? { partitions: [] };
  return partitions.reduce((sum, partition) => sum + partition.heldRecords, 0);
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !isSo(); i += 1) await system.clock.sleep(20);
  expect(isSo()).toBe(true);
}

async function read(topic: string): Promise<{ value: string; headers: Record<string, string> }[]> {
  const consumer = new Consumer({ bootstrap: [broker.address] }, system);
  await consumer.assign([{ topic, partition: 0, position: 'beginning' }]);
  const found: { value: string; headers: Record<string, string> }[] = [];
  for await (const batch of consumer.batches()) {
    const cursor = batch.cursor();
    while (cursor.next()) {
      const headers = cursor.headers().map(([name, value]) => [name, String(value)]);
      found.push({ value: String(cursor.value()), headers: Object.fromEntries(headers) });
    }
    if (found.length > 0) break;
  }
  await consumer.close();
  return found;
}
