import { describe, expect, it } from 'vitest';
// Here, for the simulation does not wait long for what is loaded while it runs.
import '../../cli/archive.js';
import '../../cli/whole-config.js';
import type { Context } from '../../cli/context.js';
import { runProgram } from '../../cli/program.js';
import type { Terminal } from '../../cli/terminal.js';
import { LiveFiles } from '../../sinks/archive/live-encoder.js';
import { PartitionWriter } from '../../sinks/archive/partition-writer.js';
import { LocalStore } from '../../sinks/archive/stores/index.js';
import type { Disk } from '../../system/index.js';
import { createSimSystem } from '../../system/sim/index.js';
import { CHAIN, finishAndCheck } from '../sinks/archive/world.js';
import { FakeTopic } from '../sinks/fake-topic.js';

const ours = { PartitionWriter, LocalStore, LiveFiles };
const settings = { format: 'lines', filePer: 'key', compression: 'none' } as const;
const stream = CHAIN.split('/').at(-2) ?? '';
const topic = stream.slice(0, stream.lastIndexOf('.'));

/** An archive of two topics; the claims of `other` are torn. */
async function archive() {
  const sim = createSimSystem({ seed: 1 });
  await sim.run(finishAndCheck(ours, sim, new FakeTopic().fill(9), { settings }));
  const { disk } = sim.process('cli');
  disk.makeDirectorySync(OTHER);
  disk.replaceFileSync(`${OTHER}/genesis.json`, '{');
  const run = async (...args: string[]) => {
    const said: string[] = [];
    const terminal = {
      data: async (text: string) => void said.push(text),
      say: (text: string) => void said.push(text),
      paint: (_: string, text: string) => text,
    } as unknown as Terminal;
    const context: Context = {
      system: sim.process('cli'),
      terminal,
      environment: {},
      script: 'main.js',
    };
    const code = await sim.run(runProgram(context, ['archive', ...args]));
    return { code, words: said.join('\n') };
  };
  return { run, disk };
}

const OTHER = CHAIN.replace(`/${stream}/`, '/other.AAAAAAAAAAAAAAAAAAAAAA/');

async function removeOther(disk: Disk): Promise<void> {
  disk.removeSync(`${OTHER}/genesis.json`);
}

describe('archive verify', () => {
  it('looks at one topic where one is named', async () => {
    const { run } = await archive();
    const whole = await run('verify', '/archive');
    expect(whole).toMatchObject({ code: 1, words: expect.stringContaining('other.AAAA') });
    const one = await run('verify', '/archive', '--topic', topic);
    expect(one).toMatchObject({ code: 0, words: expect.stringContaining('9 records') });
    const damaged = await run('verify', '/archive', '--topic', 'other');
    expect(damaged.code).toBe(1);
    expect(damaged.words).not.toContain(`${topic}/`);
    const none = await run('verify', '/archive', '--topic', 'neither');
    expect(none).toMatchObject({ code: 1, words: expect.stringContaining('no topic neither') });
  });

  it('does not call an archive good that is not there', async () => {
    const { run, disk } = await archive();
    const sink = (root: string) =>
      `{ type: archive, topics: [${topic}], store: { type: local, root: ${root} } }`;
    const sinks = `sinks: { b: ${sink('/nowhere')}, a: ${sink('/archive')} }`;
    disk.replaceFileSync('/a.yaml', `kafka: { bootstrap: [here:1] }\n${sinks}\n`);
    for (const command of ['verify', 'list']) {
      const { code, words } = await run(command, '-c', '/a.yaml', '-t', topic);
      expect(code).toBe(1);
      expect(words).toContain('logflume: /nowhere: there is no such directory');
      expect(words).toMatch(/\/archive: .*9 records/);
    }
    disk.replaceFileSync('/b.yaml', 'broker: {}\n');
    const without = await run('verify', '-c', '/b.yaml');
    expect(without).toMatchObject({ code: 1, words: expect.stringContaining('no archive sink') });
  });

  it('says which tail nobody vouches for, and can be told that this is a fault', async () => {
    const { run, disk } = await archive();
    await removeOther(disk);
    const tail = 'complete claims reach up to offset 10; whether the topic has more is not known';
    const alone = await run('verify', '/archive');
    expect(alone).toMatchObject({ code: 0, words: expect.stringContaining(`not known: sink`) });
    expect(alone.words).toContain(`${tail}: no broker was named`);
    expect(alone.words).toContain('all good as far as the claims reach');
    const strict = await run('verify', '/archive', '--require-topic');
    expect(strict).toMatchObject({ code: 1, words: expect.stringContaining('not proven: sink') });
    const nobody = await run('verify', '/archive', '-b', 'here:1', '--timeout', '1s');
    expect(nobody.code).toBe(0);
    expect(nobody.words).toContain(`${tail}: here:1: `);
    const json = await run('verify', '/archive', '-o', 'json');
    const [report] = json.words.split('\n').filter((line) => line.startsWith('{'));
    expect(JSON.parse(report ?? '')).toMatchObject({
      partitions: [{ archivedTo: 10, unknown: expect.stringContaining(tail) }],
    });
  });

  it('does not call an empty folder an archive', async () => {
    const { run, disk } = await archive();
    disk.makeDirectorySync('/empty');
    const { code, words } = await run('verify', '/empty');
    expect({ code, words }).toMatchObject({ code: 1, words: expect.stringContaining('no claim') });
  });
});
