// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the YAML, not of TypeScript
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broker } from '../../broker/index.js';
import type { Context } from '../../cli/context.js';
import { runProgram } from '../../cli/program.js';
import type { Terminal } from '../../cli/terminal.js';
import { createRealSystem } from '../../system/real/index.js';

let directory = '';
let broker: Broker;
let inUse: Server;
let usedPort = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'logflume-wrong-'));
  const quiet = createRealSystem({ logLevel: 'silent' });
  broker = await Broker.start(
    { dataDir: join(directory, 'broker'), properties: { 'auto.create.topics.enable': false } },
    quiet,
  );
  inUse = createServer();
  await new Promise<void>((resolve) => inUse.listen(0, '127.0.0.1', resolve));
  usedPort = (inUse.address() as { port: number }).port;
});

afterAll(async () => {
  await broker.stop();
  await new Promise((resolve) => inUse.close(resolve));
  rmSync(directory, { recursive: true });
});

/** Runs a command line in this process; what it says, and its exit code. */
async function run(...args: string[]) {
  const said: string[] = [];
  const data: string[] = [];
  const terminal = {
    interactive: false,
    data: async (chunk: string | Uint8Array) => void data.push(Buffer.from(chunk).toString()),
    say: (line: string) => void said.push(line),
    paint: (_: string, text: string) => text,
  } as unknown as Terminal;
  const context: Context = {
    system: createRealSystem({ logLevel: 'silent' }),
    terminal,
    environment: {},
    script: 'main.js',
  };
  const code = await runProgram(context, args);
  const words = said.join('\n');
  expect(words).not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect(words).not.toMatch(/undefined|\[object|Error:/);
  return { code, words, said, data: data.join('') };
}

function file(text: string, name = 'a.yaml'): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const listen = (port: number) => `listeners: [{ listen: "127.0.0.1:${port}" }]`;

describe('a wrong file: exit code 78, the place and a sentence', () => {
  const cases: [string, string, RegExp][] = [
    [
      'an unknown key',
      'broker: { topcs: {} }\n',
      /:1:11: broker: unknown key "topcs"; did you mean "topics"\?$/,
    ],
    [
      'an unknown section',
      'brokers: {}\n',
      /:1:1: unknown key "brokers"; did you mean "broker"\?$/,
    ],
    [
      'a wrong type',
      'broker: { topics: { a: { partitions: many } } }\n',
      /:1:38: broker\.topics\.a\.partitions: must be a/,
    ],
    [
      'a bad unit',
      'drain_timeout: 20 parsecs\nbroker: {}\n',
      /:1:16: drain_timeout: must be a duration/,
    ],
    [
      'a number without a unit',
      'drain_timeout: 20\nbroker: {}\n',
      /:1:16: drain_timeout: must be a duration/,
    ],
    [
      'an unset variable',
      'data_dir: ${NOT_SET_ANYWHERE}\nbroker: {}\n',
      /:1:11: data_dir: the environment variable NOT_SET_ANYWHERE is not set/,
    ],
    [
      'an unknown source type',
      'broker: {}\nagent: { sources: { a: { type: fille } } }\n',
      /:2:32: agent\.sources\.a\.type: unknown type "fille"; did you mean "file"\?$/,
    ],
    [
      'an unknown sink type',
      'broker: {}\nsinks: { a: { type: arkive } }\n',
      /:2:21: sinks\.a\.type: unknown type "arkive"; did you mean "archive"\?$/,
    ],
    [
      'an unknown property',
      'broker: { properties: { num.partition: 3 } }\n',
      /:1:\d+: broker\.properties\.num\.partition: .*num\.partitions/,
    ],
    [
      'a property with a place of its own',
      'broker: { properties: { log.dirs: /x } }\n',
      /:1:\d+: broker\.properties\.log\.dirs: .*data_dir/,
    ],
    [
      'a topic that no broker takes',
      'broker: { topics: { "a b": {} } }\n',
      /:1:\d+: broker\.topics\.a b: .*the name of a topic/,
    ],
    [
      'a source for such a topic',
      'broker: {}\nagent: { sources: { a: { type: file, include: [/x], topic: .. } } }\n',
      /:2:\d+: agent\.sources\.a\.topic: must be the name of a topic/,
    ],
    [
      'a key that names nothing',
      'broker: {}\nagent: { sources: { a: { type: maildrop, directory: x, topic: t, key: "{hots}" } } }\n',
      /:2:\d+: agent\.sources\.a\.key: has a \{…\} that is not known/,
    ],
    [
      'a value of another kind',
      'broker: {}\nagent: { producer: { acks: 2 }, sources: {} }\n',
      /:2:\d+: agent\.producer\.acks: must be all or 1, not 2$/,
    ],
    [
      'a batch too small for any record',
      'broker: {}\nagent: { producer: { batch_size: 100 }, sources: {} }\n',
      /:2:\d+: agent\.producer\.batch_size: must be at least 256 bytes$/,
    ],
    ['no broker for the agent', 'agent: { sources: {} }\n', /:1:8: agent: needs a broker/],
    ['broken YAML', 'broker: {\n', /:2:1: is not YAML/],
    [
      'a demo without its sink',
      'broker: {}\ndemo: { mails: { directory: x, sink: gone } }\n',
      /:2:38: demo\.mails\.sink: must name an archive sink/,
    ],
  ];
  for (const [what, text, expected] of cases) {
    it(what, async () => {
      const path = file(text);
      const { code, said } = await run('config', 'check', '-c', path);
      expect(said).toHaveLength(1);
      expect(said[0]).toMatch(expected);
      expect(said[0]?.startsWith(`logflume: ${path}:`)).toBe(true);
      expect(code).toBe(78);
    });
  }

  it('several mistakes at once', async () => {
    const path = file('data_dir: []\nbroker: { node_id: x }\nsinks: { a: {} }\nnonsense: 1\n');
    const { code, said } = await run('up', '-c', path);
    expect(said.map((line) => line.split(path)[1]?.split(':').slice(1, 3).join(':'))).toEqual([
      '1:11',
      '2:20',
      '3:10',
      '4:1',
    ]);
    expect(code).toBe(78);
  });

  it('a missing file, and a directory for a file', async () => {
    for (const command of ['up', 'broker', 'agent', 'sinks']) {
      const { code, words } = await run(command, '-c', join(directory, 'gone.yaml'));
      expect(words).toBe(`logflume: ${join(directory, 'gone.yaml')}: there is no such file`);
      expect(code).toBe(78);
    }
    const { words } = await run('config', 'show', '-c', directory);
    expect(words).toBe(`logflume: ${directory}: this is a directory, not a file`);
  });

  it('a role that the file does not name', async () => {
    const { code, words } = await run('agent', '-c', file('broker: {}\n'));
    expect(words).toMatch(/: agent: is missing$/m);
    expect(code).toBe(78);
  });
});

describe('a machine that does not fit: exit code 1 and a sentence', () => {
  it('a port in use', async () => {
    const path = file(`data_dir: ${directory}/used\nbroker: { ${listen(usedPort)} }\n`);
    const { code, said } = await run('broker', '-c', path);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(`127.0.0.1:${usedPort}`);
    expect(said[0]).toContain('in use');
    expect(code).toBe(1);
  });

  it('a port of the telemetry in use', async () => {
    const path = file(
      `data_dir: ${directory}/tele\ntelemetry: { listen: "127.0.0.1:${usedPort}" }\nbroker: { ${listen(0)} }\n`,
    );
    const { code, words } = await run('broker', '-c', path);
    expect(words).toContain('in use');
    expect(code).toBe(1);
  });

  it('a file where the data directory should be', async () => {
    mkdirSync(join(directory, 'blocked'));
    writeFileSync(join(directory, 'blocked', 'broker'), '');
    const path = file(`data_dir: ${directory}/blocked\nbroker: { ${listen(0)} }\n`);
    const { code, said } = await run('broker', '-c', path);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(join(directory, 'blocked', 'broker'));
    expect(code).toBe(1);
  });

  it('a directory in which this user may not write', async () => {
    // To root nothing is forbidden but what the kernel itself refuses.
    let sealed = '/sys';
    if (process.getuid?.() !== 0) {
      sealed = join(directory, 'sealed');
      mkdirSync(sealed, { mode: 0o555 });
    }
    const dataDir = join(sealed, 'logflume');
    const parts = `data_dir: ${dataDir}\nkafka: { bootstrap: ["${broker.address}"] }\n`;
    const archive = `{ type: archive, topics: [t], store: { type: local, root: ${dataDir} } }`;
    for (const [role, section] of [
      ['broker', `broker: { ${listen(0)} }\n`],
      ['agent', 'agent: { sources: { a: { type: file, include: [/no/such/*.log], topic: t } } }\n'],
      ['sinks', `sinks: { a: ${archive} }\n`],
    ] as const) {
      const { code, said } = await run(role, '-c', file(parts + section));
      expect(said).toHaveLength(1);
      expect(said[0]).toContain(join(dataDir, role));
      expect(said[0]).toContain('writable');
      expect(code).toBe(1);
    }
  });

  it('a locked folder', async () => {
    const path = file(`data_dir: ${directory}\nbroker: { ${listen(0)} }\n`);
    const { code, said } = await run('broker', '-c', path);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/in use|locked/);
    expect(said[0]).toContain(String(process.pid));
    expect(code).toBe(1);
  });

  it('config test finds all of it without starting anything', async () => {
    const path = file(
      `data_dir: ${directory}/blocked\nbroker: { ${listen(usedPort)} }\n` +
        `sinks: { a: { type: archive, topics: [t], store: { type: local, root: ${directory}/r } } }\n`,
    );
    const { code, said } = await run('config', 'test', '-c', path);
    expect(said.filter((line) => line.startsWith('bad'))).toHaveLength(2);
    expect(said.filter((line) => line.startsWith('good'))).toHaveLength(2);
    expect(code).toBe(1);
  });
});

describe('a broker that cannot help: exit code 1 and a sentence', () => {
  const client = (...args: string[]) => run(...args, '-b', broker.address);

  it('an unreachable bootstrap', async () => {
    const closed = '127.0.0.1:1';
    for (const args of [['topics', 'list'], ['consume', 't'], ['produce', 't'], ['status']]) {
      const { code, said } = await run(...args, '-b', closed, '--timeout', '300ms');
      expect(said).toHaveLength(1);
      expect(said[0]).toContain(closed);
      expect(code).toBe(1);
    }
  });

  it('an unknown topic, with auto-creation off', async () => {
    const unknown = /there is no topic gone|topic gone: there is no/;
    for (const args of [
      ['consume', 'gone'],
      ['topics', 'describe', 'gone'],
      ['topics', 'delete', 'gone'],
      ['produce', 'gone', '--timeout', '500ms'],
      ['topics', 'alter', 'gone', '-p', '3'],
    ]) {
      const { code, words } = await client(...args);
      expect(words).toMatch(unknown);
      expect(code).toBe(1);
    }
  });

  it('an unknown group, an existing topic, a partition that is not there', async () => {
    expect((await client('groups', 'describe', 'gone')).words).toContain('there is no group gone');
    expect((await client('groups', 'delete', 'gone')).code).toBe(1);
    expect((await client('topics', 'create', 'there')).code).toBe(0);
    const again = await client('topics', 'create', 'there');
    expect(again.words).toContain('exists already');
    expect(again.code).toBe(1);
    expect((await client('topics', 'create', 'there', '--if-not-exists')).code).toBe(0);
    const partition = await client('consume', 'there', '-p', '7');
    expect(partition.words).toBe('logflume: topic there has no partition 7; it has 1');
  });
});

describe('wrong usage: exit code 2 and a sentence', () => {
  const cases: [string[], RegExp][] = [
    [['nonsense'], /unknown command 'nonsense'/],
    [['up'], /required option '-c, --config <file>'/],
    [['topics', 'list', '--frm'], /unknown option '--frm'/],
    [['consume'], /missing required argument 'topic'/],
    [['consume', 't', '--from', 'soon'], /--from soon: give beginning, end/],
    [['consume', 't', '-g', 'g', '-p', '0'], /--group and --partition exclude each other/],
    [['consume', 't', '-n', 'x'], /Give a whole number/],
    [['topics', 'list', '--timeout', '5'], /Give a duration/],
    [['topics', 'list', '-o', 'xml'], /Allowed choices are text, json/],
    [['topics', 'create', 't', '--config', 'x'], /Give NAME=VALUE/],
    [['topics', 'alter', 't'], /name what to change/],
    [['archive', 'list'], /name the root of an archive/],
    [['up', '-c', 'x', '--for', '20'], /--for 20: give a duration/],
  ];
  for (const [args, expected] of cases) {
    it(args.join(' '), async () => {
      const { code, words } = await run(...args);
      expect(words).toMatch(expected);
      expect(code).toBe(2);
    });
  }

  it('help and version are no failures', async () => {
    for (const args of [['--help'], ['--version'], ['topics', '--help']]) {
      expect((await run(...args)).code).toBe(0);
    }
  });
});
