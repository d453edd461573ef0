import { beforeEach, describe, expect, it } from 'vitest';
import { listArchive } from '../../../sinks/archive/list.js';
import { LiveFiles } from '../../../sinks/archive/live-encoder.js';
import { PartitionWriter } from '../../../sinks/archive/partition-writer.js';
import { LocalStore } from '../../../sinks/archive/stores/index.js';
import { verifyArchive } from '../../../sinks/archive/verify.js';
import { createSimSystem, type SimProcess, type Simulation } from '../../../system/sim/index.js';
import { FakeTopic } from '../fake-topic.js';
import { archiveFiles, CHAIN, finishAndCheck } from './world.js';

const ours = { PartitionWriter, LocalStore, LiveFiles };
let sim: Simulation;
let process: SimProcess;

async function archive(compression: 'none' | 'gzip'): Promise<void> {
  sim = createSimSystem({ seed: 1 });
  const topic = new FakeTopic().fill(9);
  const settings = { format: 'lines', filePer: 'key', compression } as const;
  await sim.run(finishAndCheck(ours, sim, topic, { settings }));
  process = sim.process('verifier');
}

const verify = () => sim.run(verifyArchive(new LocalStore(process, '/archive', 'verifier')));
const list = () => sim.run(listArchive(new LocalStore(process, '/archive', 'verifier')));

function linkFiles(): string[] {
  return process.disk.listSync(CHAIN).map((name) => `${CHAIN}/${name}`);
}

describe.each(['none', 'gzip'] as const)('archive verify, %s', (compression) => {
  beforeEach(() => archive(compression));

  it('finds nothing wrong where nothing is', async () => {
    const report = await verify();
    expect(report).toMatchObject({ chains: 1, records: 9, openClaims: 0, problems: [] });
    expect(report.claims).toBeGreaterThan(1);
  });

  it('finds a byte that is flipped, dropped or added in any file', async () => {
    const paths = [...archiveFiles(process).keys()].map((name) => `/archive/${name}`);
    for (const path of [...paths, ...linkFiles()]) {
      const whole = process.disk.readFileSync(path);
      const changes: Buffer[] = [
        whole.subarray(0, -1),
        whole.subarray(1),
        Buffer.concat([whole, Buffer.from(' ')]),
        Buffer.alloc(0),
      ];
      for (let at = 0; at < whole.length; at += 29) {
        const flipped = Buffer.from(whole);
        flipped[at] = (flipped[at] ?? 0) ^ 0x04;
        changes.push(flipped);
      }
      for (const change of changes) {
        process.disk.replaceFileSync(path, change);
        const { problems } = await verify();
        expect(problems.length, `${path} as ${change}`).toBeGreaterThan(0);
      }
      process.disk.replaceFileSync(path, whole);
    }
    expect((await verify()).problems).toEqual([]);
  });

  it('finds a file that is missing or that nobody claimed', async () => {
    const [name = ''] = archiveFiles(process).keys();
    const whole = process.disk.readFileSync(`/archive/${name}`);
    process.disk.removeSync(`/archive/${name}`);
    expect((await verify()).problems).toMatchObject([{ kind: 'file missing', name }]);
    process.disk.replaceFileSync(`/archive/${name}`, whole);
    process.disk.replaceFileSync(`/archive/${name}.copy`, whole);
    expect((await verify()).problems).toMatchObject([
      { kind: 'file unknown', name: `${name}.copy` },
    ]);
  });

  it('finds a claim that is missing, and reports one that is open', async () => {
    const claims = linkFiles().filter((path) => /\d\.json$/.test(path));
    const [, second = ''] = claims;
    const content = process.disk.readFileSync(second);
    process.disk.removeSync(second);
    const kinds = (await verify()).problems.map(({ kind }) => kind);
    expect(kinds).toContain('chain gap');
    expect(kinds).toContain('file unknown');
    process.disk.replaceFileSync(second, content);
    process.disk.removeSync((claims.at(-1) ?? '').replace('.json', '.done'));
    expect(await verify()).toMatchObject({ openClaims: 1, problems: [] });
    expect((await list()).at(-1)?.state).toBe('open');
  });
});

describe('archive list', () => {
  it('names every file by its claim', async () => {
    await archive('none');
    const listed = await list();
    expect(listed.map(({ name }) => name).sort()).toEqual([...archiveFiles(process).keys()].sort());
    expect(listed.reduce((sum, { records }) => sum + records, 0)).toBe(9);
    for (const { name, bytes, storedBytes, state } of listed) {
      expect(storedBytes).toBe(process.disk.statSync(`/archive/${name}`)?.size);
      expect(bytes).toBe(storedBytes);
      expect(state).toBe('done');
    }
  });
});
