import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { createSimSystem } from '../../system/sim/index.js';
import type { FakeProducerOptions } from './fake-producer.js';
import { FileWorld, lines } from './file-world.js';

vi.mock('node:zlib', async (original) => ({
  ...(await original<typeof import('node:zlib')>()),
  ...(await import('./sync-gunzip.js')),
}));

const a = '/log/a.log';

/** A read of a log by the agent, through its `nth` descriptor. */
interface Read {
  readonly length: number;
  readonly nth: number;
}

/** The agent reads logs, and `meet` hears of each read before it is done. */
async function play(
  { meet, ...producer }: FakeProducerOptions & { meet?: (read: Read, world: FileWorld) => void },
  work: (world: FileWorld, pause: (ms: number) => Promise<void>) => Promise<void>,
  options: Record<string, unknown> = {},
): Promise<FileWorld> {
  const world = new FileWorld(createSimSystem({ seed: 3 }), options, producer);
  const { disk } = world.sim.process('agent');
  const { openSync } = disk;
  let opened = 0;
  const open: typeof openSync = (path, mode) => {
    const file = openSync(path, mode);
    if (!path.startsWith('/log')) return file;
    const nth = ++opened;
    const { readSync } = Object.getPrototypeOf(file) as typeof file;
    const met: typeof readSync = (target, offset, length, position) => {
      meet?.({ length, nth }, world);
      return readSync.call(file, target, offset, length, position);
    };
    return Object.assign(file, { readSync: met });
  };
  Object.assign(disk, { openSync: open });
  const { clock } = world.sim.process('writer');
  const live = async () => {
    await work(world, (ms) => clock.sleep(ms));
    await world.source?.drain();
    expect(world.source?.unsent()).toEqual([]);
    await world.source?.stop();
  };
  await world.sim.run(live(), { limitMs: 600_000 });
  return world;
}

const partials = ({ topics }: FileWorld) =>
  topics.records.filter(({ headers }) => 'logflume.partial' in headers).length;

describe('a line is cut only at the end of a file', () => {
  it('which a compressed one has not reached while reads are full', async () => {
    const text = lines('a line of a large file', 20_000);
    const world = await play(
      { capacity: 50_000 },
      async (it, pause) => {
        it.writer.write(`${a}.gz`, gzipSync(text));
        await pause(60_000);
        await it.start();
      },
      { include: ['/log/*.gz'] },
    );
    expect(world.topics.contentOf(`${a}.gz`)).toBe(text);
    expect(partials(world)).toBe(0);
  });

  it('and not where it has grown while it was read', async () => {
    let isClosed = true;
    let isArmed = false;
    const text = lines('a line of a file', 3_000);
    const meet = ({ length }: Read, { writer }: FileWorld) => {
      if (!isArmed || length < 65_536) return;
      isArmed = false;
      writer.append(a, 'begun ');
    };
    const producer = { capacity: 50_000, isClosed: () => isClosed };
    const world = await play({ meet, ...producer }, async (it, pause) => {
      it.writer.append(a, text);
      await it.start();
      await pause(10_000);
      isArmed = true;
      isClosed = false;
      await pause(1_500);
      expect(isArmed).toBe(false);
      it.writer.append(a, 'done\n');
    });
    expect(world.topics.contentOf(a)).toBe(`${text}begun done\n`);
    expect(partials(world)).toBe(0);
  });
});

describe('a file that cannot be read', () => {
  it('is opened again where its descriptor has gone stale', async () => {
    let isStale = false;
    const meet = ({ nth }: Read) => {
      if (isStale && nth === 1) throw Object.assign(new Error('stale'), { code: 'ESTALE' });
    };
    const world = await play({ meet }, async (it, pause) => {
      it.writer.append(a, 'one\n');
      await it.start();
      await pause(3_000);
      isStale = true;
      it.writer.append(a, 'two\n');
      await pause(10_000);
      expect(it.topics.ofKey(a)).toEqual(['one', 'two']);
      expect(it.process?.problems.list()).toEqual([]);
    });
    expect(world.topics.records).toHaveLength(2);
  });

  it('is left alone while it stays damaged', async () => {
    let reads = 0;
    const meet = () => {
      reads++;
    };
    const options = { include: ['/log/*.gz', '/log/*.log'] };
    await play(
      { meet },
      async (it, pause) => {
        it.writer.write(`${a}.gz`, Buffer.from('this is no gzip file'));
        await it.start();
        await pause(60_000);
        expect(reads).toBeLessThan(10);
        it.writer.write(`${a}.gz`, gzipSync('one\n'));
        await pause(10_000);
        expect(it.topics.records).toHaveLength(1);
      },
      options,
    );
  });
});

describe('an append that throws', () => {
  it('for a while, in mid-window, repeats nothing and leaves out nothing', async () => {
    let isEnding = true;
    const breaks = (value: string) => isEnding && value.startsWith('late');
    const text = `${lines('a', 100)}late\n${lines('b', 100)}`;
    const world = await play({ breaks }, async (it, pause) => {
      it.writer.append(a, text);
      await it.start();
      await pause(20_000);
      expect(it.topics.contentOf(a)).toBe(lines('a', 100));
      expect(it.source?.status()).toMatchObject({ lagBytes: `late\n${lines('b', 100)}`.length });
      expect(it.process?.problems.list()).toMatchObject([{ id: 'source app' }]);
      isEnding = false;
      await pause(5_000);
    });
    expect(world.topics.contentOf(a)).toBe(text);
    expect(world.writer.disk.statSync('/data/failed')).toBeUndefined();
  });
});
