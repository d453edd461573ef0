import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  type Dirent,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** `logflume up` as people run it: real processes, from dist. */
const main = join(import.meta.dirname, '../../dist/cli/main.js');
const LIMIT_MS = 60_000;

const CONFIG = `
drain_timeout: 20s
telemetry: { listen: "127.0.0.1:0" }
broker: { listeners: [{ listen: "127.0.0.1:0" }] }
agent:
  sources:
    app: { type: file, include: [./logs/*.log*], topic: app-logs }
    post: { type: maildrop, directory: ./dump, after: delete, topic: mail }
sinks:
  archive: { type: archive, topics: [app-logs], store: { type: local, root: ./archive }, rotate: { age: 500ms } }
  letters: { type: archive, topics: [mail], store: { type: local, root: ./letters }, format: eml, rotate: { age: 500ms } }
demo:
  directory: ./demo
  logs: { directory: ./logs, lines_per_second: 400, rotate_every: 700ms, sink: archive }
  mails: { directory: ./dump, every: 300ms, sink: letters }
`;

interface Running {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  words(): string;
}

function up(directory: string, ...args: string[]): Running {
  const child = spawn(process.execPath, [main, 'up', '-c', 'up.yaml', ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let words = '';
  child.stderr?.on('data', (chunk) => {
    words += chunk;
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, exit, words: () => words };
}

/** Polls, with an upper bound, for what other processes bring about. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Folders of unfinished files vanish while they are listed: then once more. */
function entriesBelow(directory: string, attempts = 20): Dirent[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (attempts === 0) throw error;
    return entriesBelow(directory, attempts - 1);
  }
}

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return entriesBelow(directory)
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/_'))
    .sort();
}

/** Process ids of the roles, by name. */
function childrenOf(pid: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== pid) continue;
      const role = readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0')[2];
      if (role) found[role] = Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

let root = '';

beforeAll(() => {
  expect(existsSync(main), 'dist is built before the tests: npm test does it').toBe(true);
  root = mkdtempSync(join(tmpdir(), 'logflume-up-'));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function directory(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  writeFileSync(join(path, 'up.yaml'), CONFIG);
  return path;
}

describe.skipIf(!existsSync('/proc/self/stat'))('logflume up', { timeout: LIMIT_MS }, () => {
  it('brings every byte into the archive, whatever role is killed', async () => {
    const at = directory('killed');
    const running = up(at);
    const { pid = 0 } = running.child;
    await until('the roles', () => running.words().includes('agent is running'));
    await until('an archive', () => filesBelow(join(at, 'archive')).length > 3);
    const telemetry = /agent is running, (http:\S+)\/metrics/.exec(running.words())?.[1];
    const metrics = await (await fetch(`${telemetry}/metrics`)).text();
    expect(metrics).toContain('logflume_agent_');
    expect(await (await fetch(`${telemetry}/health`)).json()).toMatchObject({
      role: 'agent',
      state: 'ok',
    });
    for (const role of ['agent', 'broker', 'sinks']) {
      const victim = childrenOf(pid)[role] ?? 0;
      process.kill(victim, 'SIGKILL');
      await until(`another ${role}`, () => (childrenOf(pid)[role] ?? victim) !== victim);
    }
    const before = filesBelow(join(at, 'archive')).length;
    await until('more of the archive', () => filesBelow(join(at, 'archive')).length > before);
    // As from npm and the terminal at once: one wish.
    running.child.kill('SIGINT');
    running.child.kill('SIGTERM');
    expect(await running.exit, running.words()).toBe(0);
    expect(running.words()).toContain('agent was ended by SIGKILL; it is started again');
    expect(running.words()).toContain('verdict: the archive is what was written, byte for byte');
    expect(Object.keys(childrenOf(pid))).toEqual([]);
  });

  it('leaves no child behind when it is killed itself, and goes on where it was', async () => {
    const at = directory('orphans');
    const first = up(at);
    await until('the roles', () => first.words().includes('agent is running'));
    await until('an archive', () => filesBelow(join(at, 'archive')).length > 0);
    const children = Object.values(childrenOf(first.child.pid ?? 0));
    expect(children).toHaveLength(3);
    first.child.kill('SIGKILL');
    await until('the end of its children', () => !children.some(isAlive));
    const second = up(at, '--for', '1s');
    expect(await second.exit, second.words()).toBe(0);
  });

  it('shows a newcomer files in ./archive from the second second on (npm start)', async () => {
    const at = directory('quickstart');
    const file = join(import.meta.dirname, '../../config/examples/quickstart.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(join(at, 'up.yaml'), text.replace('127.0.0.1:9092', '127.0.0.1:0'));
    const running = up(at);
    // From when the sink has the first records: how long a machine takes to start is its own.
    await until('records at the sinks', () => existsSync(join(at, 'data/sinks/archive/spool')));
    const from = Date.now();
    await until('a file in ./archive', () => filesBelow(join(at, 'archive')).length > 0);
    await until('a file in ./letters', () => filesBelow(join(at, 'letters')).length > 0);
    expect(Date.now() - from).toBeLessThan(8_000);
    expect(running.words(), 'nothing is wrong with it').not.toMatch(/"level":"(warn|error)"/);
    running.child.kill('SIGINT');
    expect(await running.exit, running.words()).toBe(0);
  });

  it('condemns an archive that was tampered with', async () => {
    // The archive of the first test; its agent died once, which may explain one repeat.
    const at = join(root, 'killed');
    const tamper: Record<string, (content: Buffer) => Buffer> = {
      flip: (content) => {
        content[20] = (content[20] ?? 0) ^ 1;
        return content;
      },
      drop: (content) => Buffer.concat([content.subarray(0, 20), content.subarray(21)]),
      repeat: (content) => {
        const line = content.subarray(0, content.indexOf('\n') + 1);
        return Buffer.concat([line, line, line, content]);
      },
    };
    const verdicts = Object.entries(tamper).map(async ([name, change]) => {
      const copy = join(root, name);
      cpSync(at, copy, { recursive: true });
      const [victim = ''] = filesBelow(join(copy, 'archive'));
      writeFileSync(victim, change(readFileSync(victim)));
      const running = up(copy, '--for', '100ms');
      return { code: await running.exit, words: running.words() };
    });
    for (const { code, words } of await Promise.all(verdicts)) {
      expect(code).toBe(1);
      expect(words).toContain('verdict: the archive is NOT what was written');
      expect(words).not.toContain('    at ');
    }
  });
});
