import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broker } from '../../broker/index.js';
import type { Command } from '../../cli/commander.js';
import type { Context } from '../../cli/context.js';
import { createProgram } from '../../cli/program.js';
import { Producer } from '../../client/index.js';
import { Sinks, sinksSection } from '../../sinks/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { run } from './run.js';

const system = createRealSystem({ logLevel: 'silent' });
let root = '';
let broker: Broker;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'logflume-output-'));
  broker = await Broker.start({ dataDir: join(root, 'broker') }, system);
  const producer = new Producer({ bootstrap: [broker.address] }, system);
  await producer.send({ topic: 'logs', key: 'k', value: 'a line' });
  await producer.close();
  const store = { type: 'local', root: join(root, 'archive') };
  const config = sinksSection().parse({ a: { type: 'archive', topics: ['logs'], store } });
  const kafka = { bootstrap: [broker.address] };
  const sinks = await Sinks.start(system, { config, kafka, dataDir: join(root, 'sinks') });
  expect(await sinks.drain(20_000)).toBe(true);
  await sinks.stop();
  writeFileSync(
    join(root, 'a.yaml'),
    `data_dir: ${root}/data\nkafka: { bootstrap: ["${broker.address}"] }\nsinks: {}\n`,
  );
  writeFileSync(join(root, 'value'), 'a value');
});

afterAll(async () => {
  await broker.stop();
  rmSync(root, { recursive: true });
});

/** What runs or changes something and has nothing to print: its words go to stderr. */
const WITHOUT_DATA = [
  ...['up', 'broker', 'agent', 'sinks', 'produce'],
  ...['topics create', 'topics alter', 'topics delete', 'groups delete'],
];

/** How each command that prints data is called. */
const CALLS: Record<string, () => string[]> = {
  'config check': () => ['-c', join(root, 'a.yaml')],
  'config show': () => ['-c', join(root, 'a.yaml')],
  'config test': () => ['-c', join(root, 'a.yaml')],
  'config schema': () => [],
  'topics list': () => ['-b', broker.address],
  'topics describe': () => ['logs', '-b', broker.address],
  'groups list': () => ['-b', broker.address],
  'groups describe': () => ['logflume-a', '-b', broker.address],
  'groups reset': () => ['logflume-a', '--to', 'end', '--dry-run', '-b', broker.address],
  consume: () => ['logs', '-e', '-b', broker.address],
  'archive list': () => [join(root, 'archive')],
  'archive verify': () => [join(root, 'archive')],
  'log dump': () => [join(root, 'broker/logs-0')],
  'log verify': () => [join(root, 'broker')],
  status: () => ['-b', broker.address],
};

/** Every command that does something, by its words. */
function leaves(command: Command, words: readonly string[] = []): [string, Command][] {
  if (command.commands.length === 0) return [[words.join(' '), command]];
  return command.commands.flatMap((each) => leaves(each, [...words, each.name()]));
}

describe('-o json', () => {
  const context = { terminal: { say() {} } } as unknown as Context;
  const commands = leaves(createProgram(context, () => async () => {}));

  it('is known to every command that prints data', () => {
    expect(commands.length).toBeGreaterThan(20);
    const names = commands.map(([name]) => name);
    expect(names.sort()).toEqual([...Object.keys(CALLS), ...WITHOUT_DATA].sort());
    for (const [name, command] of commands) {
      const known = command.options.some(({ long }) => long === '--output');
      expect(known, name).toBe(name in CALLS);
    }
  });

  for (const [name, args] of Object.entries(CALLS)) {
    it(`${name} prints JSON, and nothing else on stdout`, async () => {
      const { code, data, words } = await run([...name.split(' '), ...args(), '-o', 'json']);
      expect(code, words).toBe(0);
      const whole = name.startsWith('config');
      const values = whole ? [data] : data.trim().split('\n');
      for (const value of values) expect(JSON.parse(value), value).toBeTypeOf('object');
    });
  }

  it('what changes something prints nothing on stdout', async () => {
    const at = ['-b', broker.address];
    for (const args of [
      ['topics', 'create', 'other', ...at],
      ['topics', 'alter', 'other', '-p', '2', ...at],
      ['produce', 'other', '--file', join(root, 'value'), ...at],
      ['topics', 'delete', 'other', ...at],
    ]) {
      const { code, data, said } = await run(args);
      expect(code, said.join()).toBe(0);
      expect(data).toBe('');
      expect(said).toHaveLength(1);
    }
  });

  it('config check tells mistakes as data, with the same exit code', async () => {
    const file = join(root, 'wrong.yaml');
    writeFileSync(file, 'data_dir: []\nbroker: { node_id: x }\n');
    const { code, data, said } = await run(['config', 'check', '-c', file, '-o', 'json']);
    expect(code).toBe(78);
    expect(said).toEqual([]);
    expect(JSON.parse(data)).toMatchObject({
      good: false,
      problems: [
        { line: 1, column: 11 },
        { line: 2, column: 20 },
      ],
    });
    const gone = await run(['config', 'check', '-c', `${file}.gone`, '-o', 'json']);
    expect(gone.code).toBe(78);
    expect(gone.data).toContain('there is no such file');
  });
});

describe('progress', () => {
  it('of log verify goes to stderr, a line each five seconds where nobody looks', async () => {
    let now = 0;
    const clock = { ...system.clock, monotonic: () => (now += 6_000) };
    const args = ['log', 'verify', join(root, 'broker/logs-0')];
    const { data, said } = await run(args, { system: { clock } });
    expect(data).toBe('');
    expect(said[0]).toMatch(/^100 %, \d+ B of \d+ B, segment 1 of 1$/);
    expect(said[1]).toBe('1 segments, 1 batches, 1 records: all good');
    expect((await run(args)).said).toHaveLength(1);
  });
});
