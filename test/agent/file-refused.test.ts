import { describe, expect, it } from 'vitest';
import { agentSection } from '../../agent/index.js';
import { createSimSystem } from '../../system/sim/index.js';
import type { FakeProducerOptions } from './fake-producer.js';
import { FileWorld, lines } from './file-world.js';

const a = '/log/a.log';

function play(
  options: Record<string, unknown>,
  producer: FakeProducerOptions,
  work: (world: FileWorld, pause: (ms: number) => Promise<void>) => Promise<void>,
): Promise<FileWorld> {
  const world = new FileWorld(createSimSystem({ seed: 3 }), options, producer);
  const { clock } = world.sim.process('writer');
  const whole = work(world, (ms) => clock.sleep(ms)).then(() => world);
  return world.sim.run(whole, { limitMs: 600_000 });
}

/** What lies in the folder, in the order in which it came: the header and the value. */
function failed(world: FileWorld): { header: Record<string, unknown>; value: string }[] {
  const { disk } = world.writer;
  const names = disk.statSync('/data/failed') ? disk.listSync('/data/failed') : [];
  return names.map((name) => {
    const bytes = disk.readFileSync(`/data/failed/${name}`);
    const end = bytes.indexOf('\n');
    const header = JSON.parse(String(bytes.subarray(0, end))) as Record<string, unknown>;
    return { header, value: bytes.toString('latin1', end + 1) };
  });
}

function withDeadLetters(producer: FakeProducerOptions): Promise<FileWorld> {
  return play({}, producer, async (it, pause) => {
    it.failed = { directory: '/data/failed', topic: 'dead' };
    it.writer.append(a, 'one\nbad\ntwo\n');
    const source = await it.start();
    await pause(3_000);
    await source.stop();
  });
}

const isBad = (value: string) => value.startsWith('bad');
const text = `${lines('one', 20)}bad \u00e4 \n${lines('two', 20)}bad again\nbad again\nlast\n`;
const good = `${lines('one', 20)}${lines('two', 20)}last\n`;

describe('a record that is refused for itself', () => {
  it.each([
    ['by the broker', { refuses: isBad }],
    ['by the producer', { rejects: isBad }],
  ])(
    '%s is set aside whole, and its neighbours are sent once and in order',
    async (_, producer) => {
      const world = await play({}, producer, async (it, pause) => {
        it.writer.append(a, text);
        const source = await it.start();
        await pause(20_000);
        expect(source.status()).toMatchObject({ failedRecords: 3, lagBytes: 0 });
        expect(it.process?.problems.list()).toMatchObject([{ id: 'failed records' }]);
        await source.drain();
        expect(source.unsent()).toEqual([]);
        await source.stop();
      });
      expect(world.topics.contentOf(a)).toBe(good);
      const kept = failed(world);
      expect(kept.map(({ value }) => value)).toEqual(['bad \u00e4 ', 'bad again', 'bad again']);
      const key = Buffer.from(a).toString('base64');
      expect(kept[0]?.header).toMatchObject({
        ...{ version: 1, source: 'app', topic: 't', file: a, value_bytes: 6, key, headers: [] },
        reason: expect.stringMatching(/refused|too large/),
      });
      expect(Number(kept[0]?.header.start)).toBeLessThanOrEqual(lines('one', 20).length);
      expect(Number(kept[0]?.header.end)).toBeGreaterThan(lines('one', 20).length);
    },
  );

  it('goes to the dead-letter topic where there is one', async () => {
    const rejects = (value: string, topic: string) => isBad(value) && topic === 't';
    const world = await withDeadLetters({ rejects });
    expect(world.topics.contentOf(a).replace('bad\n', '')).toBe('one\ntwo\n');
    expect(world.topics.records.filter(({ topic }) => topic === 'dead')).toMatchObject([
      {
        ...{ key: a, value: 'bad' },
        headers: {
          'logflume.dead_letter.topic': 't',
          'logflume.dead_letter.source': 'app',
          'logflume.dead_letter.file': a,
          'logflume.dead_letter.start': '4',
        },
      },
    ]);
    expect(failed(world)).toEqual([]);
  });

  it('goes to the folder where the dead-letter topic refuses it too', async () => {
    const world = await withDeadLetters({ rejects: isBad });
    expect(failed(world).map(({ value }) => value)).toEqual(['bad']);
  });

  it('is not passed over while the disk is full', async () => {
    const world = await play({}, { refuses: isBad }, async (it, pause) => {
      it.writer.append(a, text);
      const isFailed = ({ call, path }: { call: string; path: string }) =>
        call !== 'read' && path.includes('/failed') ? 'ENOSPC' : undefined;
      const mend = it.sim.volume().inject(isFailed);
      await it.start();
      await pause(20_000);
      expect(it.process?.problems.list().map(({ id }) => id)).toContain(
        'failed records cannot be kept',
      );
      it.kill();
      mend();
      const source = await it.start();
      await pause(5_000);
      await source.stop();
    });
    expect(failed(world).map(({ value }) => value)).toEqual([
      'bad \u00e4 ',
      'bad again',
      'bad again',
    ]);
    expect(new Set(world.topics.ofKey(a))).toEqual(new Set(good.split('\n').slice(0, -1)));
  });

  it('does not pile up in memory while it cannot be kept', async () => {
    await play({}, { rejects: () => true }, async (it, pause) => {
      for (let i = 0; i < 20; i++) it.writer.append(`/log/${i}.log`, lines('x', 30_000));
      const isFailed = ({ call, path }: { call: string; path: string }) =>
        call !== 'read' && path.includes('/failed') ? 'ENOSPC' : undefined;
      it.sim.volume().inject(isFailed);
      const source = await it.start();
      await pause(10_000);
      // One read of one file.
      expect(source.status().files).toBe(20);
      expect(it.failedRecords?.pending).toBeLessThan(10_000);
      it.kill();
    });
  });

  it('is there again after a kill, beside the one from before', async () => {
    const world = await play({}, { refuses: isBad }, async (it, pause) => {
      it.writer.append(a, 'bad one\n');
      for (let round = 0; round < 6; round++) {
        await it.start();
        await pause(20 + round * 3);
        it.kill();
      }
      const source = await it.start();
      await pause(2_000);
      await source.stop();
    });
    const kept = failed(world);
    expect(kept.length).toBeGreaterThanOrEqual(1);
    expect(new Set(kept.map(({ value }) => value))).toEqual(new Set(['bad one']));
  });

  it('also where an interceptor fails', async () => {
    const world = await play(
      { interceptors: [{ type: 'regex_extract', pattern: '(?<word>[a-z]+)' }] },
      { rejects: isBad },
      async (it, pause) => {
        it.writer.append(a, text);
        const source = await it.start();
        await pause(5_000);
        await source.stop();
      },
    );
    expect(world.topics.contentOf(a)).toBe(good);
    expect(failed(world)[0]?.header.headers).toEqual([
      ['word', Buffer.from('bad').toString('base64')],
    ]);
  });
});

describe('a topic that takes nothing', () => {
  it('is waited for, and said; what was read goes once, in order', async () => {
    let isClosed = true;
    const world = await play({}, { isClosed: () => isClosed }, async (it, pause) => {
      it.writer.append(a, good);
      const source = await it.start();
      await pause(15_000);
      expect(it.process?.problems.list()).toMatchObject([{ id: 'source app' }]);
      expect(source.unsent()).toEqual([expect.stringContaining(a)]);
      isClosed = false;
      await pause(5_000);
      expect(it.process?.problems.list()).toEqual([]);
      expect(source.unsent()).toEqual([]);
      await source.stop();
    });
    expect(world.topics.contentOf(a)).toBe(good);
  });

  it('does not let a drain end', async () => {
    await play({}, { fails: (batch) => batch < 4 }, async (it, pause) => {
      it.writer.append(a, good);
      const source = await it.start();
      let isDrained = false;
      const drained = source.drain().then(() => {
        isDrained = true;
      });
      await pause(1_500);
      expect(isDrained).toBe(false);
      expect(source.unsent()).toEqual([expect.stringContaining(a)]);
      await drained;
      expect(source.unsent()).toEqual([]);
      expect(it.topics.contentOf(a)).toBe(good);
      await source.stop();
    });
  });
});

describe('whole lines', () => {
  const many = lines('a line of a large file', 40_000);

  it.each([
    ['while catching up', false],
    ['while draining', true],
  ])('are never cut %s', async (_, drains) => {
    const world = await play({}, { capacity: 5_000 }, async (it, pause) => {
      it.writer.append(a, many);
      await pause(60_000);
      const source = await it.start();
      if (drains) await source.drain();
      else await pause(60_000);
      await source.stop();
    });
    expect(world.topics.records.length).toBe(40_000);
    expect(world.topics.contentOf(a)).toBe(many);
  });

  it('nor where a file grows between the look at its size and the read', async () => {
    const world = await play({ partial_after: '1ms' }, { latencyMs: 1 }, async (it, pause) => {
      const source = await it.start();
      for (let i = 0; i < 400; i++) {
        it.writer.append(a, `begun ${i} `);
        await pause(0.2);
        it.writer.append(a, 'done\n');
        await pause(7.3);
      }
      await pause(1_000);
      await source.stop();
    });
    expect(world.topics.contentOf(a).replaceAll(/begun \d+ done\n/g, '')).toBe('');
  });
});

describe('an unfinished line', () => {
  it('is sent when its file is cut while memory is full', async () => {
    const world = await play({}, { capacity: 4, latencyMs: 3_000 }, async (it, pause) => {
      it.writer.append(a, 'done\nbegun');
      const source = await it.start();
      await pause(500);
      it.writer.append('/log/b.log', lines('b', 8));
      await pause(500);
      it.writer.truncate(a);
      await pause(3_000);
      it.writer.append(a, 'next\n');
      await pause(60_000);
      await source.drain();
      await source.stop();
    });
    expect(world.topics.contentOf(a)).toBe('done\nbegunnext\n');
  });
});

describe('the largest line', () => {
  const section = (bytes: number, memory?: string) => ({
    sources: { app: { type: 'file', include: ['/x'], topic: 't', max_line_bytes: bytes } },
    ...(memory && { producer: { memory } }),
  });

  it('must fit the memory', () => {
    expect(agentSection().safeParse(section(20_000_000)).success).toBe(true);
    expect(() => agentSection().parse(section(40_000_000))).toThrow(
      /max_line_bytes.*producer\.memory/s,
    );
    expect(agentSection().safeParse(section(40_000_000, '64MiB')).success).toBe(true);
  });
});

it('what failed when its file was gone is told by a drain', async () => {
  let batches = 0;
  const world = new FileWorld(createSimSystem({ seed: 2 }), {}, { fails: () => batches++ === 1 });
  const { clock } = world.sim.process('writer');
  const live = async () => {
    const source = await world.start();
    world.writer.append(a, 'one\nbegun');
    await clock.sleep(3_000);
    world.writer.truncate(a);
    await clock.sleep(20_000);
    await source.drain();
    expect(source.unsent()).toEqual([
      `lines of ${a}, which is gone, could not be sent and are lost`,
    ]);
    await source.stop();
  };
  await world.sim.run(live(), { limitMs: 600_000 });
  expect(world.topics.ofKey(a)).toEqual(['one']);
});
