import { describe, expect, it } from 'vitest';
import { FileWorld, lines } from './file-world.js';

async function inWorld(
  scenario: (world: FileWorld) => Promise<void>,
  world = new FileWorld(),
): Promise<FileWorld> {
  await world.sim.run(scenario(world), { limitMs: 3_600_000 });
  return world;
}

const pause = (world: FileWorld, ms: number): Promise<void> =>
  world.sim.process('writer').clock.sleep(ms);

describe('the file source', () => {
  it('delivers what is there and what comes', async () => {
    const { topics } = await inWorld(async (world) => {
      world.writer.append('/log/a.log', lines('one', 100));
      const source = await world.start();
      await pause(world, 500);
      world.writer.append('/log/a.log', lines('two', 100));
      await pause(world, 500);
      world.writer.append('/log/b.log', lines('three', 10));
      await source.drain();
      await source.stop();
    });
    expect(topics.contentOf('/log/a.log')).toBe(lines('one', 100) + lines('two', 100));
    expect(topics.contentOf('/log/b.log')).toBe(lines('three', 10));
    expect(topics.keys).toEqual(['/log/a.log', '/log/b.log']);
  });

  it('goes on where it was after a restart', async () => {
    const { topics } = await inWorld(async (world) => {
      world.writer.append('/log/a.log', lines('one', 100));
      let source = await world.start();
      await source.drain();
      await source.stop();
      world.kill();
      world.writer.append('/log/a.log', lines('two', 100));
      source = await world.start();
      await source.drain();
      await source.stop();
    });
    expect(topics.contentOf('/log/a.log')).toBe(lines('one', 100) + lines('two', 100));
  });

  it('follows a rename with re-creation', async () => {
    const { topics } = await inWorld(async (world) => {
      const source = await world.start();
      world.writer.append('/log/a.log', lines('one', 100));
      await pause(world, 100);
      world.writer.append('/log/a.log', lines('two', 100));
      world.writer.disk.renameSync('/log/a.log', '/log/a.log.1');
      world.writer.append('/log/a.log', lines('three', 100));
      await pause(world, 3000);
      await source.drain();
      await source.stop();
    });
    expect(topics.contentOf('/log/a.log')).toBe(
      lines('one', 100) + lines('two', 100) + lines('three', 100),
    );
  });

  it.each(['/log/a.log.1', '/log/a.1.log'])('follows copytruncate to %s', async (copy) => {
    const { topics } = await inWorld(async (world) => {
      const source = await world.start();
      world.writer.append('/log/a.log', lines('one', 100));
      await pause(world, 100);
      world.writer.append('/log/a.log', lines('two', 100));
      world.writer.copy('/log/a.log', copy);
      await pause(world, copy === '/log/a.1.log' ? 100 : 0);
      world.writer.truncate('/log/a.log');
      world.writer.append('/log/a.log', lines('three', 100));
      await pause(world, 8000);
      await source.drain();
      await source.stop();
    });
    expect(topics.contentOf('/log/a.log')).toBe(
      lines('one', 100) + lines('two', 100) + lines('three', 100),
    );
    expect(topics.keys).toEqual(['/log/a.log']);
  });
});
