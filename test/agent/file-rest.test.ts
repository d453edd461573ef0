import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { createSimSystem } from '../../system/sim/index.js';
import type { FakeProducerOptions } from './fake-producer.js';
import { FileWorld, lines } from './file-world.js';
import { difference } from './scenarios.js';

vi.mock('node:zlib', async (original) => ({
  ...(await original<typeof import('node:zlib')>()),
  ...(await import('./sync-gunzip.js')),
}));

const a = '/log/a.log';
const minute = 60_000;
const readme = { include: ['/log/*.log', '/log/*.gz'] };

interface Stage {
  readonly world: FileWorld;
  pause(ms: number): Promise<void>;
}

/** Plays with files that come to rest; at the end each line must have been sent once. */
async function play(
  options: Record<string, unknown>,
  work: (stage: Stage) => Promise<string>,
  producer: FakeProducerOptions = {},
): Promise<FileWorld> {
  const world = new FileWorld(createSimSystem({ seed: 5 }), options, producer);
  const { clock } = world.sim.process('writer');
  // In steps: a stream of Node's takes a few real turns, which virtual time would jump over.
  const pause = async (ms: number) => {
    for (let left = ms, step = 100; left > 0; left -= step, step = Math.min(left, step * 1.1)) {
      await clock.sleep(step);
    }
  };
  const whole = async () => {
    await world.start();
    const expected = await work({ world, pause });
    await pause(20_000);
    await world.source?.drain();
    expect(world.source?.unsent()).toEqual([]);
    await world.source?.stop();
    return expected;
  };
  const expected = await world.sim.run(whole(), { limitMs: 100 * 60 * minute });
  const actual = world.topics.contentOf(a);
  expect(actual === expected ? 'as written' : difference(actual, expected)).toBe('as written');
  expect(world.topics.keys).toEqual([a]);
  return world;
}

/** A gzip that takes its time: it pauses where it has written these shares of its output. */
async function gzip(
  { world, pause }: Stage,
  path: string,
  pauses: readonly (readonly [share: number, ms: number])[],
): Promise<void> {
  const { disk } = world.writer;
  const stat = disk.statSync(path);
  const bytes = gzipSync(disk.readFileSync(path));
  const target = disk.openSync(`${path}.gz`, 'wx');
  let at = 0;
  for (const [share, ms] of [...pauses, [1, 0] as const]) {
    const end = Math.floor(bytes.length * share);
    target.writeSync([bytes.subarray(at, end)], at);
    at = end;
    await pause(ms);
  }
  target.closeSync();
  expect(stat).toBeDefined();
  disk.removeSync(path);
}

describe('a file at rest', () => {
  it('keeps its identity with delaycompress, day after day', async () => {
    await play(readme, async (stage) => {
      const { world, pause } = stage;
      const { disk } = world.writer;
      let written = '';
      for (let day = 0; day < 5; day++) {
        const text = lines(`day ${day}`, 200);
        world.writer.append(a, text);
        written += text;
        await pause(30 * minute);
        if (disk.statSync(`${a}.1`)) await gzip(stage, `${a}.1`, []);
        for (let number = 4; number > 0; number--) {
          if (!disk.statSync(`${a}.${number}.gz`)) continue;
          disk.renameSync(`${a}.${number}.gz`, `${a}.${number + 1}.gz`);
        }
        disk.renameSync(a, `${a}.1`);
        world.writer.append(a, '');
        await pause(10 * minute);
      }
      return written;
    });
  });

  it.each([
    ['of a file at rest', 10 * minute],
    ['of a file that was just written to', 500],
  ])('a gzip %s that pauses repeats nothing', async (_, restMs) => {
    await play({ include: ['/log/*'] }, async (stage) => {
      const { world, pause } = stage;
      const old = lines('old', 2_000);
      world.writer.append(a, old);
      await pause(restMs);
      world.writer.disk.renameSync(a, `${a}.1`);
      world.writer.append(a, lines('new', 10));
      await gzip(stage, `${a}.1`, [
        [0, 8_000],
        [0.001, 8_000],
        [0.4, 60_000],
        [0.9, 8_000],
        [1, 30_000],
      ]);
      world.writer.append(a, lines('newer', 10));
      await pause(10 * minute);
      return old + lines('new', 10) + lines('newer', 10);
    });
  });

  it('and a last line and at once a name outside of the globs lose nothing', async () => {
    await play({}, async ({ world, pause }) => {
      world.writer.append(a, lines('old', 50));
      await pause(10 * minute);
      world.writer.append(a, 'the last line\n');
      world.writer.disk.renameSync(a, '/log/away');
      await pause(2_000);
      world.writer.append(a, lines('new', 10));
      await pause(10 * minute);
      return `${lines('old', 50)}the last line\n${lines('new', 10)}`;
    });
  });

  it('that was cut and filled with the same again is read anew', async () => {
    await play({}, async ({ world, pause }) => {
      world.writer.append(a, lines('same', 100));
      await pause(10 * minute);
      world.writer.truncate(a);
      await pause(1_500);
      world.writer.append(a, lines('same', 150));
      await pause(10 * minute);
      return lines('same', 100) + lines('same', 150);
    });
  });

  it('is forgotten a day after it was deleted', async () => {
    const world = await play(readme, async ({ world: it, pause }) => {
      it.writer.append(a, lines('old', 50));
      await pause(10 * minute);
      it.writer.disk.removeSync(a);
      await pause(24 * 60 * minute + 2 * minute);
      const stored = String(it.writer.disk.readFileSync('/data/positions.json'));
      expect(JSON.parse(stored).sources.app.generations).toEqual([]);
      return lines('old', 50);
    });
    expect(world.topics.records.length).toBe(50);
  });

  it('is not taken for deleted while its directory cannot be read', async () => {
    await play({}, async ({ world, pause }) => {
      world.writer.append(a, lines('old', 50));
      await pause(10 * minute);
      const mend = world.sim
        .volume()
        .inject(({ call, path, process }) =>
          process === 'agent' && call === 'read' && path === '/log' ? 'EIO' : undefined,
        );
      await pause(10 * minute);
      const stored = String(world.writer.disk.readFileSync('/data/positions.json'));
      expect(JSON.parse(stored).sources.app.generations).toMatchObject([{ gone_ms: null }]);
      mend();
      world.writer.append(a, lines('new', 10));
      await pause(minute);
      return lines('old', 50) + lines('new', 10);
    });
  });
});

describe('what cannot be read', () => {
  it('a .gz that is first empty, then no gzip, then one', async () => {
    await play(readme, async ({ world, pause }) => {
      const path = `${a}.1.gz`;
      world.writer.append(a, lines('new', 10));
      await pause(3_000);
      world.writer.write(path, Buffer.alloc(0));
      await pause(10_000);
      world.writer.write(path, Buffer.from('this is no gzip at all'));
      await pause(10_000);
      expect(world.process?.problems.list()).toMatchObject([{ id: `file ${path}` }]);
      expect(world.source?.unsent()).toEqual([expect.stringContaining(path)]);
      world.writer.append(a, lines('newer', 10));
      await pause(3_000);
      expect(world.topics.records.length).toBe(20);
      world.writer.write(path, gzipSync(Buffer.from('from the gzip\n')));
      await pause(30_000);
      expect(world.process?.problems.list()).toEqual([]);
      return `${lines('new', 10) + lines('newer', 10)}from the gzip\n`;
    });
  });

  it.each(['EIO', 'ESTALE', 'EACCES'])('for a while, with %s, is read afterwards', async (code) => {
    await play({}, async ({ world, pause }) => {
      world.writer.append(a, lines('one', 10));
      await pause(3_000);
      const mend = world.sim
        .volume()
        .inject(({ path, process }) =>
          process === 'agent' && path.startsWith('/log/') ? code : undefined,
        );
      world.writer.append(a, lines('two', 10));
      world.writer.append('/log/b.log', '');
      await pause(60_000);
      expect(world.process?.problems.list()).toHaveLength(2);
      mend();
      await pause(20_000);
      expect(world.process?.problems.list()).toEqual([]);
      return lines('one', 10) + lines('two', 10);
    });
  });
});
