import { describe, expect, it } from 'vitest';
import { createSimSystem } from '../../system/sim/index.js';
import { FileWorld, lines } from './file-world.js';

const hour = 3_600_000;

function play(
  work: (world: FileWorld, pause: (ms: number) => Promise<void>) => Promise<void>,
): Promise<FileWorld> {
  const world = new FileWorld(createSimSystem({ seed: 6 }));
  const { clock } = world.sim.process('writer');
  const whole = work(world, (ms) => clock.sleep(ms)).then(() => world);
  return world.sim.run(whole, { limitMs: 2 * hour });
}

describe('a wall clock that is set', () => {
  it.each([-hour, hour])(
    'by %i ms does not prolong the time that a copy is held',
    async (stepMs) => {
      const text = lines('a', 100);
      await play(async (world, pause) => {
        world.writer.append('/log/a.log', text);
        const source = await world.start();
        await pause(2_000);
        world.writer.copy('/log/a.log', '/log/b.log');
        await pause(2_000);
        world.sim.stepWallClock(stepMs);
        await pause(1_000);
        expect(world.topics.contentOf('/log/b.log')).toBe('');
        await pause(5_000);
        expect(world.topics.contentOf('/log/b.log')).toBe(text);
        await source.stop();
      });
    },
  );

  it('back hides no generation that comes and goes between two looks', async () => {
    const world = await play(async (it, pause) => {
      const { disk } = it.writer;
      it.writer.append('/log/a.log', lines('one', 100));
      const source = await it.start();
      await pause(20_000);
      it.sim.stepWallClock(-hour);
      disk.renameSync('/log/a.log', '/log/a.log.1');
      it.writer.append('/log/a.log', lines('two', 100));
      disk.renameSync('/log/a.log.1', '/log/a.log.2');
      disk.renameSync('/log/a.log', '/log/a.log.1');
      await pause(5);
      it.writer.append('/log/a.log', lines('three', 100));
      await pause(20_000);
      await source.stop();
    });
    const all = ['one', 'two', 'three'].map((name) => lines(name, 100)).join('');
    expect(world.topics.contentOf('/log/a.log')).toBe(all);
  });

  it('back is remembered by the next start', async () => {
    const world = await play(async (it, pause) => {
      const { disk } = it.writer;
      it.writer.append('/log/a.log', lines('one', 100));
      await it.start();
      await pause(20_000);
      it.sim.stepWallClock(-hour);
      await pause(2_000);
      it.kill();
      disk.renameSync('/log/a.log', '/log/a.log.2');
      it.writer.append('/log/a.log', lines('two', 100));
      disk.renameSync('/log/a.log', '/log/a.log.1');
      it.writer.append('/log/a.log', lines('three', 100));
      const source = await it.start();
      await pause(20_000);
      await source.stop();
    });
    const all = ['one', 'two', 'three'].map((name) => lines(name, 100)).join('');
    expect(world.topics.contentOf('/log/a.log')).toBe(all);
  });
});
