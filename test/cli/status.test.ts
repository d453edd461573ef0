import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broker } from '../../broker/index.js';
import { Producer } from '../../client/index.js';
import { Sinks, sinksSection } from '../../sinks/index.js';
import type { HttpRequest } from '../../system/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { run } from './run.js';

const system = createRealSystem({ logLevel: 'silent' });
let root = '';
let broker: Broker;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'logflume-status-'));
  broker = await Broker.start({ dataDir: join(root, 'broker') }, system);
  const producer = new Producer({ bootstrap: [broker.address] }, system);
  await producer.send([1, 2, 3].map((n) => ({ topic: 'logs', value: `line ${n}` })));
  await producer.close();
  writeFileSync(
    join(root, 'a.yaml'),
    'telemetry: { listen: "0.0.0.0:9400" }\n' +
      `broker: {}\nkafka: { bootstrap: ["${broker.address}"] }\n` +
      'agent: { sources: { app: { type: file, include: [/x/*.log], topic: logs } } }\n' +
      'sinks: { a: { type: archive, topics: [logs], store: { type: local, root: /x/a } } }\n',
  );
});

afterAll(async () => {
  await broker.stop();
  rmSync(root, { recursive: true });
});

/** The machine's HTTP, but for what the roles answer. */
function answering(healths: Record<string, () => object>) {
  const request = async ({ url }: HttpRequest) => {
    const health = healths[url];
    if (health === undefined) {
      const refused = { code: 'ECONNREFUSED', syscall: 'connect' };
      throw Object.assign(new Error('refused'), refused, { address: '127.0.0.1', port: 9402 });
    }
    return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(health())) };
  };
  return { system: { http: { ...system.http, request } } };
}

const HEALTHS = {
  'http://127.0.0.1:9400/health': () => ({
    ...{ role: 'broker', state: 'ok', problems: [], status: broker.status() },
  }),
  'http://127.0.0.1:9401/health': () => ({
    role: 'agent',
    state: 'degraded',
    problems: [{ id: 'source app', text: 'the folder /x is missing: create it', since: 0 }],
    status: { sources: { app: { type: 'file', files: 2, acknowledged: 7, lagBytes: 2048 } } },
  }),
};

describe('status', () => {
  it('shows problems first, then roles, sources, topics with their sizes, groups', async () => {
    const args = ['status', '-c', join(root, 'a.yaml')];
    const { code, data, words } = await run(args, answering(HEALTHS));
    expect(code, words).toBe(0);
    const [title, ...lines] = data.split('\n');
    expect(title).toBe('PROBLEMS');
    expect(lines[0]).toBe(
      'agent: the folder /x is missing: create it (since 1970-01-01T00:00:00.000Z)',
    );
    expect(lines[1]).toMatch(/^sinks: it does not answer on .*:9402\/health: connect /);
    expect(data).toMatch(/^agent +degraded +127\.0\.0\.1:9401$/m);
    expect(data).toMatch(/^app +file +2 +7 +2\.0 KiB/m);
    expect(data).toMatch(/^logs +1 +0 +3 +0 +\d+ B$/m);
  });

  it('has what the roles say where no broker answers', async () => {
    const args = ['status', '-c', join(root, 'a.yaml'), '-o', 'json', '--timeout', '100ms'];
    const gone = [...args, '-b', '127.0.0.1:1'];
    const { code, data } = await run(gone, answering(HEALTHS));
    expect(code).toBe(1);
    expect(JSON.parse(data).problems).toHaveLength(2);
  });

  it('has the same as data, and needs no file', async () => {
    const args = ['status', '-c', join(root, 'a.yaml'), '-o', 'json'];
    const json = JSON.parse((await run(args, answering(HEALTHS))).data);
    expect(json.problems).toHaveLength(2);
    expect(json.roles.map(({ state }: { state: string }) => state)).toEqual([
      ...['ok', 'degraded', 'unreachable'],
    ]);
    expect(json.topics).toEqual([
      {
        ...{ name: 'logs', partitions: 1, leaderless: 0, records: 3, recordsPerSecond: 0 },
        bytes: broker.status().topicBytes.logs,
      },
    ]);
    const bare = JSON.parse((await run(['status', '-b', broker.address, '-o', 'json'])).data);
    expect(bare).toMatchObject({ problems: [], roles: [], topics: [{ name: 'logs', records: 3 }] });
  });

  it('shows how far archives reach, and how far their topics', async () => {
    const store = { type: 'local', root: join(root, 'files') };
    const section = (name: string) => ({
      [name]: { type: 'archive', topics: ['logs'], store },
    });
    const kafka = { bootstrap: [broker.address] };
    const sinks = await Sinks.start(system, {
      config: sinksSection().parse(section('files')),
      kafka,
      dataDir: join(root, 'sinks'),
    });
    expect(await sinks.drain(20_000)).toBe(true);
    await sinks.stop();
    const producer = new Producer({ bootstrap: [broker.address] }, system);
    await producer.send({ topic: 'logs', value: 'line 4' });
    await producer.close();
    // Under its new name the sink is blocked, and its group knows of no lag.
    const missing = { type: 'local', root: join(root, 'nowhere') };
    const absent = { elsewhere: { type: 'archive', topics: ['logs'], store: missing } };
    const file = join(root, 'b.yaml');
    writeFileSync(file, JSON.stringify({ kafka, sinks: { ...section('renamed'), ...absent } }));
    const { data, words } = await run(['status', '-c', file]);
    expect(data, words).toMatch(/^\S+files +files +logs +0 +0 +3 +4 +1$/m);
    expect(data).toMatch(/nowhere +no such directory here/m);
    const json = JSON.parse((await run(['status', '-c', file, '-o', 'json'])).data);
    const reach = { sink: 'files', topic: 'logs', partition: 0, from: 0, archivedTo: 3 };
    expect(json.archives).toMatchObject([
      { root: store.root, present: true, partitions: [{ ...reach, topicEnd: 4, lag: 1 }] },
      { root: missing.root, present: false, partitions: [] },
    ]);
  });

  it('shows what the roles say even where no broker answers', async () => {
    const args = ['status', '-c', join(root, 'a.yaml'), '-b', '127.0.0.1:1', '--timeout', '300ms'];
    const { code, data } = await run(args, answering(HEALTHS));
    expect(code).toBe(1);
    expect(data).toMatch(/^PROBLEMS$/m);
  });
});
