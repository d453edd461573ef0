import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createSimSystem } from '../../system/sim/index.js';
import type { FakeProducerOptions } from './fake-producer.js';
import { FileWorld, lines } from './file-world.js';

const a = '/log/a.log';

interface Play {
  readonly world: FileWorld;
  readonly writer: FileWorld['writer'];
  pause(ms: number): Promise<void>;
}

/** Plays, waits, drains; resolves with the world that is left. */
async function play(
  options: Record<string, unknown>,
  work: (play: Play) => Promise<void> | void,
  producer: FakeProducerOptions = {},
): Promise<FileWorld> {
  const world = new FileWorld(createSimSystem({ seed: 3 }), options, producer);
  const { clock } = world.sim.process('writer');
  const pause = (ms: number) => clock.sleep(ms);
  const whole = async () => {
    await work({ world, writer: world.writer, pause });
    await pause(1500);
    await world.source?.drain();
    await world.source?.stop();
  };
  await world.sim.run(whole(), { limitMs: 600_000 });
  return world;
}

describe('where a file source begins', () => {
  it('passes over what is there at its very first start, for ever', async () => {
    const { topics } = await play({ read_from: 'end' }, async ({ world, writer, pause }) => {
      writer.append(a, lines('old', 100));
      writer.append('/log/short.log', 'old\n');
      await world.start();
      world.kill();
      writer.append(a, lines('while down', 3));
      await world.start();
      await pause(500);
      writer.append(a, lines('new', 3));
      writer.append('/log/short.log', 'new\n');
      writer.append('/log/later.log', 'all of it\n');
    });
    expect(topics.contentOf(a)).toBe(lines('while down', 3) + lines('new', 3));
    expect(topics.contentOf('/log/short.log')).toBe('new\n');
    expect(topics.contentOf('/log/later.log')).toBe('all of it\n');
  });

  it('finds directories that come later, at any depth, and leaves excluded files alone', async () => {
    const options = { include: ['/log/**/*.log'], exclude: ['/log/**/debug.*'] };
    const { topics } = await play(options, async ({ world, writer, pause }) => {
      await world.start();
      await pause(100);
      writer.append('/log/x/y/z/a.log', 'deep\n');
      writer.append('/log/x/debug.log', 'no\n');
      writer.append('/log/b.log', 'flat\n');
    });
    expect(topics.keys).toEqual(['/log/b.log', '/log/x/y/z/a.log']);
  });

  it('waits for a directory that is missing', async () => {
    const { topics } = await play(
      { include: ['/later/*.log'] },
      async ({ world, writer, pause }) => {
        await world.start();
        await pause(3000);
        writer.append('/later/a.log', 'here\n');
      },
    );
    expect(topics.contentOf('/later/a.log')).toBe('here\n');
  });
});

describe('symbolic links', () => {
  it('are followed, and pointing one elsewhere is a rotation', async () => {
    const { topics } = await play({}, async ({ world, writer, pause }) => {
      const volume = world.sim.volume();
      writer.append('/data/one', lines('one', 5));
      volume.symlink('/data/one', '/log/current.log');
      await world.start();
      await pause(500);
      writer.append('/data/one', lines('more', 5));
      writer.append('/data/two', lines('two', 5));
      writer.disk.removeSync('/log/current.log');
      volume.symlink('/data/two', '/log/current.log');
      await pause(2000);
      writer.append('/data/one', 'late\n');
      await pause(2000);
    });
    expect(topics.contentOf('/log/current.log')).toBe(
      `${lines('one', 5)}${lines('more', 5)}${lines('two', 5)}late\n`,
    );
  });

  it('do not deliver a file twice', async () => {
    const { topics } = await play({}, async ({ world, writer }) => {
      writer.append(a, lines('one', 5));
      world.sim.volume().symlink(a, '/log/b.log');
      writer.disk.linkSync(a, '/log/c.log');
      await world.start();
    });
    expect(topics.records).toHaveLength(5);
  });
});

describe('lines', () => {
  it('longer than max_line_bytes are sent in pieces, all but the last marked', async () => {
    const long = 'x'.repeat(2500);
    const { topics } = await play({ max_line_bytes: 1000 }, async ({ world, writer }) => {
      writer.append(a, `short\n${long}\n${'y'.repeat(1000)}\nend\n`);
      await world.start();
    });
    const sizes = topics.records.map((one) => [
      one.value.length,
      'logflume.partial' in one.headers,
    ]);
    expect(sizes).toEqual([
      [5, false],
      [1000, true],
      [1000, true],
      [500, false],
      [1000, false],
      [3, false],
    ]);
    expect(topics.contentOf(a)).toBe(`short\n${long}\n${'y'.repeat(1000)}\nend\n`);
  });

  it('longer than what is read at once arrive whole', async () => {
    const long = 'x'.repeat(900_000);
    const { topics } = await play({}, async ({ world, writer }) => {
      writer.append(a, `${long}\nend\n`);
      await world.start();
    });
    expect(topics.ofKey(a).map((line) => line.length)).toEqual([900_000, 3]);
  });

  it('keep every byte, whatever it is', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1');
    const { topics } = await play({}, async ({ world, writer }) => {
      writer.append(a, `\n\r\n${bytes}\n\n`);
      await world.start();
    });
    expect(topics.contentOf(a)).toBe(`\n\r\n${bytes}\n\n`);
  });

  it.each([
    ['\0', ['one', 'two\nhalves']],
    ['\r\n--\r\n', ['one', 'two\nhalves']],
  ])(
    'end with %j where the source says so, and tell it in a header',
    async (delimiter, expected) => {
      const { topics } = await play({ delimiter }, async ({ world, writer }) => {
        writer.append(a, expected.map((line) => line + delimiter).join(''));
        await world.start();
      });
      expect(topics.ofKey(a)).toEqual(expected);
      expect(topics.records[0]?.headers['logflume.delimiter']).toBe(delimiter);
    },
  );

  it('that are unfinished are sent after partial_after, and go on behind', async () => {
    const { topics } = await play({ partial_after: '2s' }, async ({ world, writer, pause }) => {
      await world.start();
      writer.append(a, 'begun');
      await pause(1500);
      expect(world.topics.records).toHaveLength(0);
      await pause(1500);
      expect(world.topics.ofKey(a)).toEqual(['begun']);
      writer.append(a, ' and done\n');
    });
    expect(topics.ofKey(a)).toEqual(['begun', ' and done']);
    expect(topics.contentOf(a)).toBe('begun and done\n');
  });

  it('written late into a rotated file are sent, and counted', async () => {
    const world = await play({}, async ({ world, writer, pause }) => {
      await world.start();
      writer.append(a, 'one\n');
      await pause(500);
      writer.disk.renameSync(a, '/log/old');
      writer.append(a, 'two\n');
      await pause(500);
      writer.append('/log/old', 'late\n');
      await pause(1500);
    });
    expect(world.topics.ofKey(a)).toEqual(['one', 'two', 'late']);
    expect(world.source?.status().lateLines).toBe(1);
  });

  it('of a deleted file are still read', async () => {
    const { topics } = await play({}, async ({ world, writer, pause }) => {
      await world.start();
      writer.append(a, 'one\n');
      await pause(100);
      const file = writer.disk.openSync(a, 'r+');
      writer.disk.removeSync(a);
      await pause(1000);
      file.writeSync([Buffer.from('two\n')], file.statSync().size);
      await pause(1500);
      file.closeSync();
    });
    expect(topics.ofKey(a)).toEqual(['one', 'two']);
  });
});

describe('a .gz file', () => {
  it('is read once through, its members one behind the other, also after a restart', async () => {
    const { topics } = await play({ include: ['/log/*.gz'] }, async ({ world, writer, pause }) => {
      const members = [gzipSync(lines('one', 2000)), gzipSync(lines('two', 2000))];
      writer.write('/log/a.gz', Buffer.concat(members));
      await world.start();
      await pause(2000);
      world.kill();
      await world.start();
      await pause(1000);
    });
    expect(topics.contentOf('/log/a.gz')).toBe(lines('one', 2000) + lines('two', 2000));
  });

  it('is read on when it was not complete', async () => {
    const whole = gzipSync(lines('one', 3000));
    const { topics } = await play({ include: ['/log/*.gz'] }, async ({ world, writer, pause }) => {
      writer.write('/log/a.gz', whole.subarray(0, whole.length / 2));
      await world.start();
      await pause(1000);
      writer.write('/log/a.gz', whole);
      await pause(8000);
    });
    expect(topics.contentOf('/log/a.gz').endsWith(lines('one', 1, 2999))).toBe(true);
  });

  it('that is damaged is named, and holds up nobody', async () => {
    const world = await play({ include: ['/log/*'] }, async ({ world, writer }) => {
      writer.write('/log/a.log.gz', Buffer.from('this is no gzip file'));
      writer.append(a, 'fine\n');
      await world.start();
    });
    expect(world.topics.ofKey(a)).toEqual(['fine']);
    expect(JSON.stringify(world.process?.logLines)).toContain('/log/a.log.gz');
  });
});

describe('trouble', () => {
  it.each(['EACCES', 'EIO'])('with a file (%s) is told and tried again', async (code) => {
    const world = await play({}, async ({ world, writer, pause }) => {
      writer.append(a, 'one\n');
      writer.append('/log/b.log', 'other\n');
      const heal = world.sim
        .volume()
        .inject(({ process, call, path }) =>
          process === 'agent' && (call === 'open' || call === 'read') && path === a
            ? code
            : undefined,
        );
      await world.start();
      await pause(3000);
      expect(world.topics.ofKey('/log/b.log')).toEqual(['other']);
      heal();
      await pause(3000);
    });
    expect(world.topics.ofKey(a)).toEqual(['one']);
    expect(JSON.stringify(world.process?.logLines)).toContain(a);
  });

  it('with the disk of the positions (ENOSPC) stops nothing', async () => {
    const world = await play({}, async ({ world, writer, pause }) => {
      await world.start();
      const heal = world.sim
        .volume()
        .inject(({ process, call }) =>
          process === 'agent' && call === 'write' ? 'ENOSPC' : undefined,
        );
      writer.append(a, lines('one', 10));
      await pause(5000);
      expect(world.topics.records).toHaveLength(10);
      heal();
      await pause(2000);
      world.kill();
      await world.start();
    });
    expect(world.topics.contentOf(a)).toBe(lines('one', 10));
  });

  it('with a producer that is full stops the reading until there is room', async () => {
    let most = 0;
    const { topics } = await play(
      {},
      async ({ world, writer, pause }) => {
        writer.append(a, lines('a', 300));
        writer.append('/log/b.log', lines('b', 300));
        await world.start();
        for (let i = 0; i < 100; i++) {
          most = Math.max(most, world.source?.status().records ?? 0 - world.topics.records.length);
          await pause(20);
        }
      },
      { capacity: 25 },
    );
    expect(topics.contentOf(a)).toBe(lines('a', 300));
    expect(topics.contentOf('/log/b.log')).toBe(lines('b', 300));
    expect(most).toBeGreaterThan(0);
  });
});

describe('interceptors of a file source', () => {
  it('change, drop and mark lines', async () => {
    const interceptors = [
      { type: 'host' },
      { type: 'regex_filter', exclude: 'DEBUG' },
      { type: 'search_replace', search: 'password=\\S+', replace: 'password=***' },
      { type: 'regex_extract', pattern: '^(?<level>[A-Z]+)' },
      { type: 'counter' },
    ];
    const world = await play({ interceptors }, async ({ world, writer }) => {
      writer.append(a, 'INFO password=secret\nDEBUG no\nWARN \xe4 password=x\n');
      await world.start();
    });
    expect(world.topics.ofKey(a)).toEqual(['INFO password=***', 'WARN \xe4 password=***']);
    expect(world.topics.records.map(({ headers }) => headers)).toEqual([
      { host: '127.0.0.1', level: 'INFO' },
      { host: '127.0.0.1', level: 'WARN' },
    ]);
    const labels = { source: 'app', name: 'records', result: 'success' };
    expect(world.process?.metrics.value('logflume_agent_counter_records_total', labels)).toBe(2);
  });
});
