import { beforeEach, describe, expect, it } from 'vitest';
import { archiveCoverage } from '../../../sinks/archive/cluster-look.js';
import type { ClusterLook } from '../../../sinks/archive/coverage.js';
import { listArchive } from '../../../sinks/archive/list.js';
import { LiveFiles } from '../../../sinks/archive/live-encoder.js';
import { PartitionWriter } from '../../../sinks/archive/partition-writer.js';
import { LocalStore } from '../../../sinks/archive/stores/index.js';
import { type VerifyOptions, verifyArchive } from '../../../sinks/archive/verify.js';
import { createSimSystem, type SimProcess, type Simulation } from '../../../system/sim/index.js';
import { FakeTopic } from '../fake-topic.js';
import { archiveFiles, CHAIN, finishAndCheck } from './world.js';

const OWNER = '/archive/_claims/_owners/cluster-1/logs.abcdefghijklmnopqrstuv/0.json';
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

const verify = (options: VerifyOptions = {}) =>
  sim.run(verifyArchive(new LocalStore(process, '/archive', 'verifier'), options));
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
    for (const path of [...paths, ...linkFiles(), OWNER]) {
      const whole = process.disk.readFileSync(path);
      const changes: Buffer[] = [
        whole.subarray(0, -1),
        whole.subarray(1),
        Buffer.concat([whole, Buffer.from(' ')]),
        Buffer.alloc(0),
      ];
      // Of a sink's name, beside the file's syntax.
      for (let at = 0; at < whole.length; at += path === OWNER ? 1 : 29) {
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

describe('archive verify beside the topic', () => {
  const topicId = 'abcdefghijklmnopqrstuv';
  const END = new FakeTopic().fill(9).end;
  const at = { topic: 'logs', partition: 0 };
  const lookOf = (start: number, end: number, committed: number | undefined): ClusterLook => ({
    clusterId: 'cluster-1',
    partitions: [{ ...at, topicId, start, end }],
    committed: committed === undefined ? [] : [{ sink: 'archive', ...at, offset: committed }],
  });
  const good = lookOf(0, END, END);
  const beside = (look: ClusterLook | string = good) =>
    verify({ sinks: ['archive'], look: async () => look });
  const last = () =>
    (
      linkFiles()
        .filter((path) => /\d\.json$/.test(path))
        .at(-1) ?? ''
    ).slice(0, -5);
  const filesOf = (claim: string) =>
    [...archiveFiles(process).keys()].filter((name) => name.includes(`+${claim.slice(-20)}+`));

  beforeEach(() => archive('none'));

  it('says how far the archive reaches, and the topic', async () => {
    const { problems, partitions } = await beside(lookOf(0, END + 5, END));
    expect(problems).toEqual([]);
    expect(partitions).toEqual([
      {
        ...{ sink: 'archive', cluster: 'cluster-1', topicId, ...at },
        ...{ from: 0, archivedTo: END, topicStart: 0, topicEnd: END + 5, committed: END, lag: 5 },
      },
    ]);
  });

  it('is told how far by the names of the claims alone, too', async () => {
    const store = new LocalStore(process, '/archive', 'verifier');
    const links = linkFiles().filter((path) => path.endsWith('.done'));
    for (const done of [undefined, ...links.toReversed()]) {
      if (done !== undefined) process.disk.removeSync(done);
      const { partitions } = await beside();
      expect(await sim.run(archiveCoverage(store, good))).toEqual(partitions);
    }
    expect((await beside()).partitions[0]?.archivedTo).toBe(0);
  });

  it('finds the last done gone and its file altered, with a broker and without', async () => {
    const [name = ''] = filesOf(last());
    process.disk.removeSync(`${last()}.done`);
    expect((await verify()).problems).toEqual([]);
    expect((await beside()).problems).toMatchObject([{ kind: 'claims missing' }]);
    process.disk.replaceFileSync(`/archive/${name}`, Buffer.from('other'));
    expect((await verify()).problems).toMatchObject([{ kind: 'file differs', name }]);
  });

  it('finds the last claim gone with all its files', async () => {
    const claim = last();
    const names = filesOf(claim);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) process.disk.removeSync(`/archive/${name}`);
    for (const end of ['json', 'done']) process.disk.removeSync(`${claim}.${end}`);
    const start = Number(claim.slice(-20));
    const [problem, ...others] = (await beside()).problems;
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ kind: 'claims missing' });
    expect(problem?.message).toContain(`Offsets ${start} to ${END - 1} were archived`);
    const { problems, partitions } = await verify();
    expect(problems).toEqual([]);
    expect(partitions[0]?.unknown).toBe(
      `sink archive, topic logs, partition 0: complete claims reach up to offset ${start}; ` +
        'whether the topic has more is not known: no broker was asked',
    );
  });

  it('finds everything gone', async () => {
    for (const name of process.disk.listSync('/archive')) {
      await sim.run(process.disk.removeTree(`/archive/${name}`));
    }
    expect((await verify()).problems).toMatchObject([{ kind: 'no archive' }]);
    expect((await beside('nobody answers')).problems).toMatchObject([{ kind: 'no archive' }]);
    expect((await beside()).problems).toMatchObject([{ kind: 'claims missing' }]);
    expect((await beside(lookOf(0, 5, undefined))).problems).toEqual([]);
  });

  it('finds what retention has removed, and a topic that is behind its archive', async () => {
    const passed = await beside(lookOf(END + 2, END + 9, END));
    expect(passed.problems).toMatchObject([{ kind: 'not archived' }]);
    expect(passed.partitions[0]?.lag).toBe(7);
    expect((await beside(lookOf(0, END - 1, END))).problems).toMatchObject([
      { kind: 'topic behind' },
    ]);
  });

  it.each<[string, ClusterLook | string, string]>([
    ['nobody answers', 'no broker answered', 'no broker answered'],
    ['another cluster', { ...good, clusterId: 'other' }, 'of cluster other'],
    ['no topic', { ...good, partitions: [] }, 'no such topic'],
  ])('says what it could not know: %s', async (_name, look, why) => {
    const { problems, partitions } = await beside(look);
    expect(problems).toEqual([]);
    expect(partitions[0]?.unknown).toContain(why);
  });

  it('does not take the committed offset of a predecessor for its own', async () => {
    const anew = 'zyxwvutsrqponmlkjihgfe';
    const partitions = [{ ...at, topicId: anew, start: 0, end: 1 }];
    const report = await beside({ ...good, partitions });
    expect(report.problems).toEqual([]);
    expect(report.partitions[0]?.unknown).toContain(`created anew since, as ${anew}`);
  });

  it('takes no committed offset that lies beyond the topic, or at its beginning, for a loss', async () => {
    expect((await beside(lookOf(0, END, END + 50))).problems).toEqual([]);
    await sim.run(process.disk.removeTree('/archive/_claims'));
    for (const name of archiveFiles(process).keys()) process.disk.removeSync(`/archive/${name}`);
    expect((await beside(lookOf(0, END, 0))).problems).toEqual([]);
    expect((await beside(lookOf(0, END, 1))).problems).toMatchObject([{ kind: 'claims missing' }]);
  });

  it.each([
    '_claims/notes.txt',
    '_claims/archive/cluster-1/notes',
    '_claims/archive/cluster-1/logs.abcdefghijklmnopqrstuv/0/deep/file.json',
    '_claims/_owners/cluster-1/notes',
    '_other/file',
    '.hidden',
    'logs/dt=2026-01-01/.hidden',
    'stray',
  ])('finds a foreign file: %s', async (name) => {
    const path = `/archive/${name}`;
    process.disk.makeDirectorySync(path.slice(0, path.lastIndexOf('/')));
    process.disk.replaceFileSync(path, Buffer.from('?'));
    expect((await verify()).problems).toMatchObject([{ kind: 'file unknown', name }]);
  });

  it('passes over what is being built', async () => {
    process.disk.makeDirectorySync('/archive/_tmp/archive-x');
    process.disk.replaceFileSync('/archive/_tmp/archive-x/1.part', Buffer.from('?'));
    expect((await verify()).problems).toEqual([]);
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
