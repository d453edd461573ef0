import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  DemoWriter,
  demoSection,
  type Evidence,
  journalDirectory,
  judge,
} from '../../cli/demo/index.js';
import { compress, loadCodec } from '../../protocol/records/index.js';
import { directoryArchive } from '../../sinks/index.js';
import type { Disk, System } from '../../system/index.js';
import { createSimSystem } from '../../system/sim/index.js';

const KEEP = 1000;
const config = demoSection.parse({
  directory: '/demo',
  logs: {
    directory: '/logs',
    lines_per_second: 500,
    rotate_every: '2s',
    keep: KEEP,
    sink: 'archive',
  },
  mails: { directory: '/dump', every: '500ms', sink: 'letters' },
});
const journalPath = journalDirectory(config);
const NAMES = ['app.log', 'web.log', 'jobs.log'];
const evidenceOf = (system: System): Evidence => ({
  journal: journalPath,
  logs: { store: storeAt(system, '/archive'), topic: 'app-logs' },
  mails: { store: storeAt(system, '/letters'), topic: 'mail' },
});

function storeAt(system: System, root: string) {
  return directoryArchive(root).open({ system, writer: 'verdict' });
}

async function write(system: System, forMs: number): Promise<DemoWriter> {
  const writer = new DemoWriter(system, config);
  writer.start((error) => {
    throw error;
  });
  await system.clock.sleep(forMs);
  writer.stop();
  writer.agentFinished();
  return writer;
}

/** A log file's generations, oldest first. */
function generations(disk: Disk, name: string): Buffer[] {
  const found: Buffer[] = [];
  for (let number = KEEP; number >= 0; number--) {
    const path = join('/logs', number === 0 ? name : `${name}.${number}`);
    if (disk.statSync(path)) found.push(disk.readFileSync(path));
  }
  return found;
}

function put(disk: Disk, path: string, content: Buffer): void {
  disk.makeDirectorySync(join(path, '..'));
  disk.replaceFileSync(path, content);
}

const digits = (n: number) => String(n).padStart(20, '0');

/** The archive that a faultless agent and sink would have made, each file in two pieces. */
function archive(disk: Disk, change: (name: string, content: Buffer) => Buffer = (_, c) => c) {
  const directory = '/archive/app-logs/dt=2026-11-21/hour=08';
  for (const name of NAMES) {
    const content = change(name, Buffer.concat(generations(disk, name)));
    const cut = content.indexOf('\n', content.length / 2) + 1;
    const key = encodeURIComponent(`host:/logs/${name}`);
    const file = (from: number) => `${key}+app-logs.AbCd+0+${digits(from)}+${digits(from + 9)}.log`;
    put(disk, join(directory, `${file(0)}.gz`), gzipSync(content.subarray(0, cut)));
    put(disk, join(directory, `${file(10)}.zst`), compress('zstd', content.subarray(cut)));
  }
  disk.listSync('/dump').forEach((name, index) => {
    const content = change(name, disk.readFileSync(join('/dump', name)));
    const at = digits(index);
    put(disk, `/letters/mail/dt=2026-11-21/hour=08/mail.EfGh+0+${at}+${at}.eml`, content);
  });
}

async function demo(forMs = 10_000) {
  await loadCodec('zstd');
  const simulation = createSimSystem({ seed: 7 });
  const system = simulation.process('demo');
  const writer = await simulation.run(() => write(system, forMs));
  const judged = (more: Partial<Evidence> = {}) =>
    simulation.run(judge(system.disk, { ...evidenceOf(system), ...more }));
  return { system, disk: system.disk, writer, judged };
}

describe('the demo writer', () => {
  it('journals exactly what it wrote, over all rotations', async () => {
    const { disk, writer } = await demo(30_000);
    expect(writer.lines).toBeGreaterThan(14_000);
    let lines = 0;
    for (const name of NAMES) {
      const files = generations(disk, name);
      expect(files.length).toBeGreaterThan(3);
      const journal = disk.readFileSync(join(journalPath, `${name}.bytes`));
      expect(Buffer.concat(files).equals(journal)).toBe(true);
      const texts = journal.toString().trimEnd().split('\n');
      expect(new Set(texts).size).toBe(texts.length);
      lines += texts.length;
    }
    expect(lines).toBe(writer.lines);
    expect(disk.listSync('/dump')).toHaveLength(writer.mails);
  });
});

describe('the verdict', () => {
  it('finds a faultless archive good, and counts', async () => {
    const { disk, writer, judged } = await demo();
    archive(disk);
    const verdict = await judged();
    expect(verdict.good).toBe(true);
    const counts = verdict.lines.map((line) => Number(/ (\d+) /.exec(line)?.[1]));
    expect(counts.reduce((a, b) => a + b)).toBe(writer.lines + writer.mails);
  });

  const at = (content: Buffer) => content.indexOf('\n', content.length / 3) + 1;
  const lineEnd = (content: Buffer) => content.indexOf('\n', at(content)) + 1;
  const changes: Record<string, (content: Buffer) => Buffer> = {
    'flipped byte': (content) => {
      const changed = Buffer.from(content);
      changed[at(content) + 3] = (changed[at(content) + 3] ?? 0) ^ 1;
      return changed;
    },
    'flipped line end': (content) => {
      const changed = Buffer.from(content);
      changed[at(content) - 1] = 0x0b;
      return changed;
    },
    'dropped byte': (content) =>
      Buffer.concat([content.subarray(0, at(content) + 3), content.subarray(at(content) + 4)]),
    'dropped line': (content) =>
      Buffer.concat([content.subarray(0, at(content)), content.subarray(lineEnd(content))]),
    'dropped end': (content) => content.subarray(0, content.length - 1),
    'repeated byte': (content) =>
      Buffer.concat([content.subarray(0, at(content) + 4), content.subarray(at(content) + 3)]),
    'repeated line': (content) =>
      Buffer.concat([content.subarray(0, lineEnd(content)), content.subarray(at(content))]),
    'moved line': (content) =>
      Buffer.concat([
        content.subarray(0, at(content)),
        content.subarray(lineEnd(content)),
        content.subarray(at(content), lineEnd(content)),
      ]),
    'foreign line': (content) =>
      Buffer.concat([
        content.subarray(0, at(content)),
        Buffer.from('x\n'),
        content.subarray(at(content)),
      ]),
  };
  for (const [what, change] of Object.entries(changes)) {
    for (const victim of ['web.log', '.eml']) {
      it(`condemns a ${what} in ${victim}`, async () => {
        const { disk, judged } = await demo(2_000);
        let done = false;
        archive(disk, (name, content) => {
          if (done || !name.endsWith(victim)) return content;
          done = true;
          return change(content);
        });
        expect(done).toBe(true);
        expect((await judged()).good).toBe(false);
      });
    }
  }

  it('condemns a file that was never written, and a lost one', async () => {
    const { disk, judged } = await demo(2_000);
    archive(disk);
    const directory = '/archive/app-logs/dt=2026-11-21/hour=08';
    const [first = ''] = disk.listSync(directory);
    disk.renameSync(join(directory, first), join(directory, first.replace('app.log', 'other.log')));
    const verdict = await judged();
    expect(verdict.good).toBe(false);
    expect(verdict.lines.join('\n')).toContain('missing');
    expect(verdict.lines.join('\n')).toContain('never wrote such a file');
  });

  it('excuses repeats only as often as an agent died', async () => {
    const { disk, system, judged } = await demo(2_000);
    const twice = changes['repeated line'] ?? ((content) => content);
    archive(disk, (name, content) => (name === 'web.log' ? twice(content) : content));
    expect((await judged()).good).toBe(false);
    new DemoWriter(system, config).agentDied();
    const verdict = await judged();
    expect(verdict.good).toBe(true);
    expect(verdict.lines).toContain(
      'web.log: 1 lines are there twice, in 1 runs (explained by 1 death of the agent)',
    );
    archive(disk, (name, content) => (name === 'web.log' ? twice(twice(content)) : content));
    expect((await judged()).good).toBe(false);
  });

  it('takes a run that did not finish for a death of its agent', async () => {
    const { disk, system, judged } = await demo(2_000);
    const twice = changes['repeated line'] ?? ((content) => content);
    archive(disk, (name, content) => (name === 'web.log' ? twice(content) : content));
    new DemoWriter(system, config).stop();
    expect((await judged()).good).toBe(false);
    new DemoWriter(system, config).agentFinished();
    expect((await judged()).good).toBe(true);
  });

  it('looks only at the topics as they are now', async () => {
    const { disk, judged } = await demo(1_000);
    archive(disk);
    const old = '/archive/app-logs/dt=2026-11-21/hour=07';
    put(disk, `${old}/x+app-logs.OLD1+0+${digits(0)}+${digits(1)}.log`, Buffer.from('old\n'));
    expect((await judged()).good).toBe(false);
    const topicIds = ['AbCdEfGh', 'EfGhIjKl'];
    expect((await judged({ topicIds })).good).toBe(true);
  });
});
