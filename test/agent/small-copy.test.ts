import { expect, it } from 'vitest';
import { createSimSystem } from '../../system/sim/index.js';
import { FileWorld, lines } from './file-world.js';

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
