import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Broker } from '../../broker/index.js';
import { lockDirectory } from '../../system/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { run } from './run.js';

const real = createRealSystem({ logLevel: 'silent' });
let root = '';
let at = '';
let broker: Broker;
let inUse: Server;
let usedPort = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'logflume-config-test-'));
  broker = await Broker.start({ dataDir: join(root, 'broker'), topics: { logs: {} } }, real);
  inUse = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => inUse.listen(0, '127.0.0.1', resolve));
  usedPort = (inUse.address() as { port: number }).port;
});

afterAll(async () => {
  await broker.stop();
  await new Promise((resolve) => inUse.close(resolve));
  rmSync(root, { recursive: true });
});

beforeEach(() => {
  at = mkdtempSync(join(root, 'case-'));
});

/** Every entry below a folder, with the times that a change of it would move. */
function traces(directory: string): string[] {
  const { mtimeMs, ctimeMs } = statSync(directory);
  const own = `${directory} ${mtimeMs} ${ctimeMs}`;
  const entries = readdirSync(directory, { withFileTypes: true });
  return [
    own,
    ...entries.flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? traces(path) : [`${path} ${statSync(path).ctimeMs}`];
    }),
  ];
}

/** `config test` of a text, in which `@` stands for the case's own folder. */
async function test(text: string, options: Parameters<typeof run>[1] = {}) {
  const file = join(at, 'a.yaml');
  writeFileSync(file, text.replaceAll('@', at));
  const before = traces(at);
  const ran = await run(['config', 'test', '-c', file, '--timeout', '500ms'], options);
  expect(traces(at), 'it leaves no trace').toEqual(before);
  const json = await run(
    ['config', 'test', '-c', file, '--timeout', '500ms', '-o', 'json'],
    options,
  );
  expect(json.code).toBe(ran.code);
  const findings = JSON.parse(json.data).findings as { outcome: string; what: string }[];
  expect(findings.map(({ outcome }) => outcome)).toEqual(
    ran.said.map((line) => line.split(' ')[0]),
  );
  return ran;
}

const ALL = `
data_dir: @/data
broker: { listeners: [{ listen: "127.0.0.1:0" }] }
agent:
  sources:
    app: { type: file, include: ["@/logs/*.log"], topic: logs }
    post: { type: maildrop, directory: @/dump, after: delete, topic: mail }
sinks:
  archive: { type: archive, topics: [logs], store: { type: local, root: @/archive } }
`;

describe('config test', () => {
  it('leaves no trace, and finds a machine that fits', async () => {
    mkdirSync(join(at, 'logs'));
    mkdirSync(join(at, 'dump'));
    writeFileSync(join(at, 'logs/app.log'), 'line\n');
    const { code, said } = await test(ALL);
    expect(said.filter((line) => !line.startsWith('good'))).toEqual([]);
    expect(said.join('\n')).toContain(`${at}/data/broker`);
    expect(code).toBe(0);
  });

  it('says that a mail directory is missing, and that a glob matches nothing', async () => {
    mkdirSync(join(at, 'logs'));
    const { code, words } = await test(ALL);
    expect(words).toMatch(/^bad .*source post: .*\/dump.*there is no such directory/m);
    expect(words).toMatch(/^warning .*source app: .*\/logs\/\*\.log matches no file yet/m);
    expect(code).toBe(1);
  });

  it('a glob that matches nothing is only a warning', async () => {
    mkdirSync(join(at, 'dump'));
    const { code, words } = await test(ALL);
    expect(words).toMatch(/^warning .*matches no file yet: there is no directory .*\/logs$/m);
    expect(code).toBe(0);
  });

  it('what the demo makes at its start is not missed', async () => {
    const demo = `
demo:
  directory: @/demo
  logs: { directory: @/logs, sink: archive }
  mails: { directory: @/dump, sink: letters }
`;
    const letters =
      '  letters: { type: archive, topics: [mail], format: eml, store: { type: local, root: @/l } }\n';
    const { code, words } = await test(`${ALL}${letters}${demo}`);
    expect(words).not.toMatch(/^(bad|warning)/m);
    expect(code).toBe(0);
  });

  it('says what may not be read or written, without trying it', async () => {
    mkdirSync(join(at, 'logs'));
    mkdirSync(join(at, 'dump'));
    writeFileSync(join(at, 'logs/app.log'), 'line\n');
    const denied = (path: string, to: 'read' | 'write') => {
      const closed = path.endsWith('app.log') ? to === 'read' : to === 'write';
      if (closed) throw Object.assign(new Error('denied'), { code: 'EACCES', syscall: 'access' });
    };
    const system = { disk: { ...real.disk, accessSync: denied } };
    const { code, said } = await test(ALL, { system });
    const bad = said.filter((line) => line.startsWith('bad')).join('\n');
    expect(bad).toMatch(/folder of the broker: .*permission denied/);
    expect(bad).toMatch(/archive: .*permission denied/);
    expect(bad).toMatch(/source app: .*app\.log.*permission denied/);
    expect(bad).toMatch(/source post: .*dump.*permission denied/);
    expect(code).toBe(1);
  });

  it('says that a file stands where a folder should be', async () => {
    writeFileSync(join(at, 'data'), '');
    const { code, words } = await test(ALL);
    expect(words).toMatch(/^bad .*folder of the broker: .*\/data is a file, not a directory/m);
    expect(code).toBe(1);
  });

  it('says which running process has a folder', async () => {
    const lock = lockDirectory(real, join(at, 'data/agent'), 'agent');
    try {
      const { code, words } = await test(ALL);
      expect(words).toMatch(new RegExp(`^bad .*data/agent.*process id ${process.pid}`, 'm'));
      expect(code).toBe(1);
    } finally {
      lock.release();
    }
  });

  it('tries each port that up would take', async () => {
    const port = (from: number) =>
      `telemetry: { listen: "127.0.0.1:${from}" }\nbroker: {}\nsinks: {}\ndata_dir: @/data\n`;
    const { code, words } = await test(port(usedPort - 2));
    expect(words).toMatch(new RegExp(`^bad .*127\\.0\\.0\\.1:${usedPort} .*sinks.*in use`, 'm'));
    expect(code).toBe(1);
  });

  it('asks the brokers, and says which topics are missing', async () => {
    mkdirSync(join(at, 'logs'));
    writeFileSync(join(at, 'logs/app.log'), 'line\n');
    const sources = '{ app: { type: file, include: ["@/logs/*"], topic: TOPIC } }';
    const agent = (bootstrap: string, topic: string) =>
      `data_dir: @/data\nkafka: { bootstrap: ["${bootstrap}"] }\n` +
      `agent: { sources: ${sources.replace('TOPIC', topic)} }\n`;
    const there = await test(agent(broker.address, 'logs'));
    expect(there.said.filter((line) => !line.startsWith('good'))).toEqual([]);
    const missing = await test(agent(broker.address, 'other'));
    expect(missing.words).toMatch(/^warning .*topic other is not there yet/m);
    expect(missing.code).toBe(0);
    const away = await test(agent('127.0.0.1:1', 'logs'));
    expect(away.words).toMatch(/^bad .*127\.0\.0\.1:1/m);
    expect(away.code).toBe(1);
    const foreign = await test(agent(`127.0.0.1:${usedPort}`, 'logs'));
    expect(foreign.words).toMatch(new RegExp(`^bad .*127\\.0\\.0\\.1:${usedPort}`, 'm'));
    expect(foreign.code).toBe(1);
  });
});

describe('a file without a role', () => {
  it('is refused by up and by config test, and told by config check', async () => {
    const file = join(at, 'a.yaml');
    writeFileSync(file, 'data_dir: ./data\nkafka: { bootstrap: ["127.0.0.1:9092"] }\n');
    const words = 'names nothing to run: add a broker:, agent: or sinks: section';
    for (const command of [['up'], ['config', 'test']]) {
      const ran = await run([...command, '-c', file]);
      expect(ran.words, command.join(' ')).toBe(`logflume: ${file}:1:1: ${words}`);
      expect(ran.code).toBe(78);
    }
    const checked = await run(['config', 'check', '-c', file]);
    expect(checked.words).toBe(`${file}: good, but it ${words}`);
    expect(checked.code).toBe(0);
  });
});
