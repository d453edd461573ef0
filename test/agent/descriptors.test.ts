import { expect, it } from 'vitest';
import { Descriptors, VanishedError } from '../../agent/sources/file/descriptors.js';
import { createSimSystem } from '../../system/sim/index.js';
import { FileWorld, lines } from './file-world.js';

it.each([1, 3])(
  'more files than descriptors (%i) are read all the same, and rotate',
  async (limit) => {
    const world = new FileWorld(createSimSystem({ seed: limit }), { include: ['/log/*.log'] });
    world.maxOpenFiles = limit;
    const names = Array.from({ length: 12 }, (_, index) => `/log/${index}.log`);
    const written = new Map<string, string>();
    let mostOpen = 0;
    await world.sim.run(
      async () => {
        const { clock } = world.sim.process('writer');
        const { disk } = world.sim.process('agent');
        const opened = new Set<object>();
        const { openSync } = disk;
        Object.assign(disk, {
          openSync: (...args: Parameters<typeof openSync>) => {
            const file = openSync(...args);
            if (!args[0].startsWith('/log')) return file;
            opened.add(file);
            mostOpen = Math.max(mostOpen, opened.size);
            const { closeSync } = Object.getPrototypeOf(file);
            return Object.assign(file, {
              closeSync: () => {
                opened.delete(file);
                closeSync.call(file);
              },
            });
          },
        });
        await world.start();
        for (let round = 0; round < 20; round++) {
          for (const [index, name] of names.entries()) {
            if ((round + index) % 3 === 0) continue;
            const text = lines(name, 5, round * 5);
            world.writer.append(name, text);
            written.set(name, (written.get(name) ?? '') + text);
          }
          if (round % 6 === 5) {
            const name = names[round % names.length] ?? '';
            world.writer.disk.renameSync(name, `${name}.${round}`);
          }
          await clock.sleep(1_500);
        }
        await clock.sleep(10_000);
        await world.source?.drain();
        await world.source?.stop();
      },
      { limitMs: 600_000 },
    );
    for (const name of names) expect(world.topics.contentOf(name)).toBe(written.get(name));
    // A file may be looked at beside it, whether it is the one that was meant.
    expect(mostOpen).toBeLessThanOrEqual(limit + 1);
  },
);

it.each([
  ['renamed to a name that nobody asks for, it is found and read on', true],
  ['deleted, that is said, and nothing waits for it', false],
])('a file that vanishes while it has no descriptor: %s', async (_, isThere) => {
  const world = new FileWorld(createSimSystem({ seed: 4 }), {}, { capacity: 100 });
  world.maxOpenFiles = 1;
  const errors: string[] = [];
  const text = lines('a', 3_000);
  await world.sim.run(
    async () => {
      const { clock } = world.sim.process('writer');
      world.writer.append('/log/a.log', text);
      for (const name of ['b', 'c']) world.writer.append(`/log/${name}.log`, lines(name, 3_000));
      const source = await world.start();
      await clock.sleep(50);
      if (isThere) world.writer.disk.renameSync('/log/a.log', '/log/elsewhere');
      else world.writer.disk.removeSync('/log/a.log');
      await clock.sleep(60_000);
      errors.push(...(world.process?.problems.list() ?? []).map(({ text: said }) => said));
      await source.drain();
      expect(source.unsent()).toEqual([]);
      await source.stop();
    },
    { limitMs: 600_000 },
  );
  expect(errors).toEqual([]);
  const sent = world.topics.contentOf('/log/a.log');
  if (isThere) expect(sent).toBe(text);
  else expect(text.startsWith(sent)).toBe(true);
  for (const name of ['b', 'c']) {
    expect(world.topics.contentOf(`/log/${name}.log`)).toBe(lines(name, 3_000));
  }
});

it('a file that is opened again and is another by then is not read', () => {
  const { disk } = createSimSystem({ seed: 4 }).process('agent');
  for (const name of ['/a', '/b']) disk.replaceFileSync(name, name);
  const descriptors = new Descriptors(disk, 1);
  const file = descriptors.open('/a', () => '/a');
  const read = () => file.readSync(Buffer.alloc(9), 0, 9, 0);
  descriptors.open('/b', () => '/b');
  expect(read()).toBe(2);
  descriptors.open('/b', () => '/b');
  disk.replaceFileSync('/a', 'another');
  expect(read).toThrow(VanishedError);
});

it('a file that is shorter when it is met again counts as another, whose inode it got', () => {
  const { disk } = createSimSystem({ seed: 4 }).process('agent');
  for (const name of ['/a', '/b']) disk.replaceFileSync(name, name);
  const descriptors = new Descriptors(disk, 1);
  const file = descriptors.open('/a', () => '/a');
  const cut = () => {
    const writer = disk.openSync('/a', 'r+');
    writer.truncateSync(1);
    writer.closeSync();
  };
  descriptors.open('/b', () => '/b');
  expect(file.statSync().size).toBe(2);
  cut();
  expect(() => file.statSync()).toThrow(VanishedError);
});
