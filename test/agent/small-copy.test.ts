import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { createSimSystem } from '../../system/sim/index.js';
import { FileWorld, lines } from './file-world.js';

vi.mock('node:zlib', async (original) => ({
  ...(await original<typeof import('node:zlib')>()),
  ...(await import('./sync-gunzip.js')),
}));

it.each([
  ['unread while memory is full', true, '/log/*.log'],
  ['unread while memory is full, under a name that is asked for', true, '/log/a.log*'],
  ['read', false, '/log/*.log'],
  ['read, under a name that is asked for', false, '/log/a.log*'],
])(
  'a small file that grows between its copy and its truncation, %s',
  async (_, isFull, include) => {
    let isClosed = isFull;
    const world = new FileWorld(
      createSimSystem({ seed: 1 }),
      { include: [include] },
      { isClosed: () => isClosed },
    );
    const { clock } = world.sim.process('writer');
    const work = async () => {
      const source = await world.start();
      world.writer.append('/log/a.log', lines('a', 10));
      await clock.sleep(20_000);
      world.writer.copy('/log/a.log', '/log/a.log.1');
      await clock.sleep(5);
      world.writer.append('/log/a.log', 'between\n');
      await clock.sleep(18_000);
      world.writer.truncate('/log/a.log');
      await clock.sleep(3_000);
      world.writer.append('/log/a.log', lines('b', 10));
      await clock.sleep(3_000);
      isClosed = false;
      await clock.sleep(30_000);
      await source.stop();
    };
    await world.sim.run(work, { limitMs: 600_000 });
    // What stands in no copy, and was not read before, is gone.
    const between = isFull ? '' : 'between\n';
    expect(world.topics.contentOf('/log/a.log')).toBe(lines('a', 10) + between + lines('b', 10));
  },
);

it('is known again after a kill, when lines behind the copy were seen and not sent', async () => {
  let isClosed = false;
  const options = { include: ['/log/a.log*'] };
  const world = new FileWorld(createSimSystem({ seed: 1 }), options, { isClosed: () => isClosed });
  const { clock } = world.sim.process('writer');
  const work = async () => {
    await world.start();
    world.writer.append('/log/a.log', lines('a', 10));
    await clock.sleep(20_000);
    isClosed = true;
    world.writer.copy('/log/a.log', '/log/a.log.1');
    world.writer.append('/log/a.log', 'between\n');
    await clock.sleep(12_000);
    world.writer.truncate('/log/a.log');
    world.kill();
    isClosed = false;
    const source = await world.start();
    await clock.sleep(30_000);
    await source.stop();
  };
  await world.sim.run(work(), { limitMs: 600_000 });
  expect(world.topics.contentOf('/log/a.log')).toBe(lines('a', 10));
  expect(world.topics.contentOf('/log/a.log.1')).toBe('');
});

const path = '/log/a.log';
const hour = 3_600_000;

/** What is done to `a.log` while the agent runs, or is down. */
interface Play {
  readonly writer: FileWorld['writer'];
  readonly pause: (ms: number) => Promise<void>;
  readonly down: (whileDown: () => Promise<void> | void) => Promise<void>;
  readonly rename: (from: string, to: string) => void;
  readonly gzip: (file: string) => void;
}

async function played(play: (on: Play) => Promise<void>, maxOpenFiles?: number): Promise<string> {
  const world = new FileWorld(createSimSystem({ seed: 1 }), {
    include: ['/log/*.log', '/log/*.gz'],
  });
  const { clock } = world.sim.process('writer');
  const { writer } = world;
  if (maxOpenFiles !== undefined) world.maxOpenFiles = maxOpenFiles;
  const pause = (ms: number) => clock.sleep(ms);
  const work = async () => {
    await world.start();
    await play({
      writer,
      pause,
      rename: (from, to) => writer.disk.renameSync(from, to),
      gzip: (file) => {
        writer.write(`${file}.gz`, gzipSync(writer.disk.readFileSync(file)));
        writer.disk.removeSync(file);
      },
      down: async (whileDown) => {
        world.kill();
        await whileDown();
        await pause(5_000);
        await world.start();
      },
    });
    await pause(60_000);
    await world.source?.stop();
  };
  await world.sim.run(work, { limitMs: 5 * hour });
  return world.topics.contentOf(path);
}

const elder = lines('elder', 100);
const small = lines('small', 5);

/** `a.log.1` was `a.log` a moment ago, and what was `a.log.1` is `a.log.2`. */
function comesAndGoes({ writer, rename }: Play): void {
  writer.append(path, small);
  rename(`${path}.1`, `${path}.2`);
  rename(path, `${path}.1`);
}

describe('a small file that comes and is rotated unseen is sent', () => {
  it.each<[string, (on: Play) => void]>([
    ['stays', () => {}],
    ['is compressed', ({ gzip }) => gzip(`${path}.2`)],
    ['is deleted', ({ writer }) => writer.disk.removeSync(`${path}.2`)],
  ])('where the agent is down and its elder %s', async (_, then) => {
    const sent = await played(async (on) => {
      on.writer.append(path, elder);
      await on.pause(5_000);
      await on.down(async () => {
        on.rename(path, `${path}.1`);
        await on.pause(100);
        comesAndGoes(on);
        await on.pause(100);
        then(on);
      });
    });
    expect(sent).toBe(elder + small);
  });

  it.each<[string, number, (on: Play) => void]>([
    ['was just read', 5_000, () => {}],
    ['rests', hour, () => {}],
    ['was deleted', hour, ({ writer }) => writer.disk.removeSync(`${path}.1`)],
    ['rests compressed', hour, ({ gzip }) => gzip(`${path}.1`)],
  ])('between two looks, where its elder %s', async (_, quietMs, then) => {
    const sent = await played(async (on) => {
      on.writer.append(path, elder);
      await on.pause(5_000);
      on.rename(path, `${path}.1`);
      await on.pause(5_000);
      then(on);
      await on.pause(quietMs);
      const { disk } = on.writer;
      if (disk.statSync(`${path}.1`)) comesAndGoes(on);
      else {
        on.writer.append(path, small);
        rotateBehind(on);
      }
    });
    expect(sent).toBe(elder + small);
  });
});

function rotateBehind({ writer, rename }: Play): void {
  if (writer.disk.statSync(`${path}.1.gz`)) rename(`${path}.1.gz`, `${path}.2.gz`);
  rename(path, `${path}.1`);
}

describe('a copy of which only little is there', () => {
  it.each([1, Number.POSITIVE_INFINITY])(
    'is not sent where its original rests, with %s descriptors',
    async (maxOpenFiles) => {
      const sent = await played(async ({ writer, pause }) => {
        writer.append(path, elder);
        await pause(hour);
        writer.append(`${path}.1`, elder.slice(0, 500));
        await pause(4_000);
        writer.append(`${path}.1`, elder.slice(500));
        await pause(4_000);
        writer.truncate(path);
        writer.append(path, small);
      }, maxOpenFiles);
      expect(sent).toBe(elder + small);
    },
  );

  it('ends nothing where it is compressed and none of its content has come', async () => {
    const sent = await played(async ({ writer, pause, rename, gzip }) => {
      writer.append(path, elder);
      await pause(5_000);
      rename(path, `${path}.1`);
      gzip(`${path}.1`);
      await pause(hour);
      writer.write(`${path}.2.gz`, gzipSync(elder).subarray(0, 12));
      await pause(5_000);
      writer.append(path, small);
    });
    expect(sent).toBe(elder + small);
  });

  it('is not sent where its original had grown before it was first seen', async () => {
    const sent = await played(async ({ writer, pause }) => {
      writer.append(path, '');
      await pause(3_000);
      writer.append(path, small);
      writer.copy(path, `${path}.1`);
      writer.append(path, lines('more', 3));
      await pause(3_000);
      writer.truncate(path);
      await pause(3_000);
      writer.append(path, lines('next', 3));
    });
    expect(sent).toBe(small + lines('more', 3) + lines('next', 3));
  });
});
