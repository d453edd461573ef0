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

describe('a long line that is not finished', () => {
  const options = { max_line_bytes: 10_000_000 };

  it.each(['\n', '\r\n'])('is not read again while it grows: its end is %j', async (delimiter) => {
    let bytes = 0;
    const meet = ({ length }: Read) => {
      bytes += length;
    };
    const piece = 'x'.repeat(3_999) + delimiter[0];
    const world = await play(
      { meet, capacity: 10 },
      async (it, pause) => {
        await it.start();
        for (let i = 0; i < 500; i++) {
          it.writer.append(a, delimiter === '\n' ? 'x'.repeat(4_000) : piece);
          await pause(50);
        }
        it.writer.append(a, '\nnext\n');
        await pause(5_000);
        if (delimiter === '\n') expect(it.topics.ofKey(a)).toEqual(['x'.repeat(2_000_000), 'next']);
      },
      { ...options, delimiter },
    );
    expect(bytes).toBeLessThan(12_000_000);
    expect(world.topics.ofKey(a)[0]?.length).toBe(delimiter === '\n' ? 2_000_000 : 1_999_999);
    expect(world.writer.disk.statSync(a)?.size).toBe(2_000_006);
  });

  const [x, y] = ['x'.repeat(50_000), 'y'.repeat(200_000)];

  it.each([
    ['finished', '\n'],
    ['left unfinished', ''],
  ])('may change in its middle, and is sent as it is when it is %s', async (_, end) => {
    const holes = '\0'.repeat(100_000);
    const whole = 'w'.repeat(100_000);
    const world = await play(
      {},
      async (it, pause) => {
        await it.start();
        it.writer.append(a, `${'first'}\n${x}`);
        await pause(1_000);
        it.writer.append(a, holes + x);
        await pause(1_000);
        it.writer.put(a, whole, 'first\n'.length + x.length);
        await pause(1_000);
        it.writer.append(a, `${x}${end}`);
        await pause(10_000);
      },
      options,
    );
    expect(world.topics.ofKey(a).map((line) => line === x + whole + x + x)).toEqual([false, true]);
  });

  it('may become several by what is written into its middle', async () => {
    const first = 'f'.repeat(2_000);
    const world = await play(
      {},
      async (it, pause) => {
        await it.start();
        it.writer.append(a, `${first}\n${'\0'.repeat(200_000)}`);
        await pause(1_000);
        it.writer.put(a, 'second\nthird\n', first.length + 1);
        await pause(2_000);
        expect(it.topics.ofKey(a).map((line) => line.slice(0, 10))).toEqual([
          'ffffffffff',
          'second',
          'third',
        ]);
      },
      options,
    );
    expect(partials(world)).toBe(1);
  });

  it.each([
    ['from its beginning on', x + x, y],
    ['in its beginning', x + x, y.slice(0, 50_000) + x + x],
    ['from its middle on', '', x + y],
  ])('may become another one %s', async (_, cut, other) => {
    const world = await play(
      {},
      async (it, pause) => {
        await it.start();
        it.writer.append(a, x);
        await pause(2_000);
        it.writer.append(a, x);
        await pause(1_000);
        it.writer.truncate(a);
        it.writer.append(a, `${other}\n`);
        await pause(5_000);
      },
      options,
    );
    expect(world.topics.contentOf(a) === `${cut}${other}\n`).toBe(true);
  });
});
