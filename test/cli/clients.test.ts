import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broker } from '../../broker/index.js';
import type { Context } from '../../cli/context.js';
import { runProgram } from '../../cli/program.js';
import type { Terminal } from '../../cli/terminal.js';
import type { System } from '../../system/index.js';
import { createRealSystem } from '../../system/real/index.js';
import { logflume } from '../peers/logflume.js';

let directory = '';
let broker: Broker;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'logflume-clients-'));
  const system = createRealSystem({ logLevel: 'silent' });
  broker = await Broker.start(
    { dataDir: join(directory, 'broker'), topics: { logs: { partitions: 2 } } },
    system,
  );
});

afterAll(async () => {
  await broker.stop();
  rmSync(directory, { recursive: true });
});

/** Runs a command against the broker; with `signals`, the test sends them. */
async function run(args: readonly string[], onSaid?: (signal: () => void) => void) {
  const data: string[] = [];
  const said: string[] = [];
  let signal = () => {};
  const real = createRealSystem({ logLevel: 'silent' });
  const processes = {
    ...real.processes,
    onSignal(callback: (name: 'SIGTERM') => void) {
      signal = () => callback('SIGTERM');
      onSaid?.(signal);
      return () => {};
    },
  };
  const system: System = { ...real, processes };
  const terminal = {
    data: async (chunk: string | Uint8Array) => void data.push(Buffer.from(chunk).toString()),
    say: (line: string) => void said.push(line),
    paint: (_: string, text: string) => text,
  } as unknown as Terminal;
  const context: Context = { system, terminal, environment: {}, script: 'main.js' };
  const code = await runProgram(context, [...args, '-b', broker.address]);
  expect(said.join('\n')).not.toContain('logflume:');
  expect(code).toBe(0);
  const text = data.join('');
  const json = () =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  return { text, json, said };
}

describe('client commands', () => {
  it('produce a file, consume it from anywhere', async () => {
    const file = join(directory, 'whole.bin');
    writeFileSync(file, Buffer.from([0xff, 0x00, 0x0a, 0x41]));
    await run(['produce', 'logs', '--file', file, '-k', 'key', '-p', '1', '-z', 'gzip']);
    writeFileSync(file, 'second');
    await run(['produce', 'logs', '--file', file, '-p', '1', '--acks', '1']);
    const all = (await run(['consume', 'logs', '-e', '-o', 'json'])).json();
    expect(all).toMatchObject([
      { topic: 'logs', partition: 1, offset: 0, key: 'key', value_base64: '/wAKQQ==' },
      { offset: 1, key: null, value: 'second' },
    ]);
    const from = (where: string) => run(['consume', 'logs', '-e', '--from', where, '-p', '1']);
    expect((await from('1')).text).toBe('second\n');
    expect((await from('end')).text).toBe('');
    expect((await from(new Date(all[0].timestamp).toISOString())).text).toContain('second\n');
    expect(
      (await run(['consume', 'logs', '-n', '1', '-p', '1', '-o', 'json'])).json(),
    ).toHaveLength(1);
  });

  it('produce what a pipe brings, with keys before a separator', async () => {
    const args = ['produce', 'piped', '--key-separator', '=', '-b', broker.address];
    const program = logflume(args, { input: 'a=1\nb=2=3\n\nno key\r\nlast' });
    expect(await program.exited).toBe(0);
    expect(program.stdout).toBe('');
    expect(program.stderr).toBe('5 records sent\n');
    const records = (await run(['consume', 'piped', '-e', '-o', 'json'])).json();
    expect(records).toMatchObject([
      { key: 'a', value: '1' },
      { key: 'b', value: '2=3' },
      { key: null, value: '' },
      { key: null, value: 'no key\r' },
      { key: null, value: 'last' },
    ]);
  });

  it('follow a file until a signal comes', async () => {
    const file = join(directory, 'followed.log');
    writeFileSync(file, 'before\n');
    let seen: ReturnType<typeof run> | undefined;
    const followed = run(['produce', 'logs', '--follow', file, '-p', '0'], (signal) => {
      // Once the tail watches: the line that arrives ends the wait.
      const append = setInterval(() => appendFileSync(file, 'f\u00fcr später\n'), 50);
      seen = run(['consume', 'logs', '-p', '0', '-n', '1']).finally(() => {
        clearInterval(append);
        signal();
      });
    });
    expect((await followed).said[0]).toMatch(/^\d+ records? sent$/);
    expect((await seen)?.text).toBe('f\u00fcr später\n');
  });

  it('commit only as a member of a group, and move its offsets', async () => {
    await run(['consume', 'logs', '-e']);
    expect((await run(['groups', 'list'])).text).toBe('GROUP  STATE  PROTOCOL\n');
    await run(['consume', 'logs', '-e', '-g', 'readers']);
    const lag = async () => {
      const [group] = (await run(['groups', 'describe', 'readers', '-o', 'json'])).json();
      return group.offsets.find((at: { partition: number }) => at.partition === 1).lag;
    };
    expect(await lag()).toBe(0);
    await run(['groups', 'reset', 'readers', '--to', '1', '--dry-run']);
    expect(await lag()).toBe(0);
    await run(['groups', 'reset', 'readers', '--to', '1']);
    expect(await lag()).toBe(1);
    await run(['groups', 'reset', 'readers', '--to', 'earliest', '-t', 'logs']);
    expect(await lag()).toBe(2);
    await run(['groups', 'delete', 'readers']);
  });

  it('commit exactly what they have printed as a member of a group', async () => {
    await run(['topics', 'create', 'counted', '-p', '1']);
    const file = join(directory, 'numbers');
    writeFileSync(file, Array.from({ length: 20 }, (_, i) => `${i}\n`).join(''));
    const piped = ['produce', 'counted', '-b', broker.address];
    expect(await logflume(piped, { input: readFileSync(file) }).exited).toBe(0);
    const some = (max: string) => run(['consume', 'counted', '-g', 'counters', '-n', max]);
    expect((await some('8')).text).toBe('0\n1\n2\n3\n4\n5\n6\n7\n');
    const [group] = (await run(['groups', 'describe', 'counters', '-o', 'json'])).json();
    expect(group.offsets).toMatchObject([{ partition: 0, lag: 12 }]);
    expect((await some('3')).text).toBe('8\n9\n10\n');
    const rest = await run(['consume', 'counted', '-g', 'counters', '-e']);
    expect(rest.text).toBe('11\n12\n13\n14\n15\n16\n17\n18\n19\n');
    await run(['topics', 'delete', 'counted']);
    await run(['groups', 'delete', 'counters']);
  });

  it('create, alter, describe and delete topics', async () => {
    await run([
      'topics',
      'create',
      'a',
      'b',
      '-p',
      '2',
      '-r',
      '1',
      '--config',
      'retention.ms=1000',
    ]);
    await run(['topics', 'alter', 'a', '-p', '3', '--config', 'segment.bytes=1048576']);
    await run(['topics', 'alter', 'a', '--delete-config', 'retention.ms']);
    const [described] = (await run(['topics', 'describe', 'a', '-o', 'json'])).json();
    expect(described.settings).toEqual({ 'segment.bytes': '1048576' });
    expect(described.partitions).toHaveLength(3);
    await run(['topics', 'delete', 'b']);
    const names = (await run(['topics', 'list', '-o', 'json'])).json().map(({ name }) => name);
    expect(names).toEqual(['a', 'logs', 'piped']);
    expect((await run(['status'])).text).toMatch(/BROKER +ADDRESS\n1 +127\.0\.0\.1:\d+\n/);
    const [status] = (await run(['status', '-o', 'json'])).json();
    expect(status.topics).toContainEqual(
      expect.objectContaining({ name: 'a', partitions: 3, leaderless: 0 }),
    );
  });
});
