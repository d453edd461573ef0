import { describe, expect, it } from 'vitest';
import { createSimSystem } from '../../system/sim/index.js';
import type { FakeProducerOptions } from './fake-producer.js';
import { FileWorld, lines } from './file-world.js';

const path = '/log/a.log';
const late = Array.from({ length: 40 }, (_, i) => `late ${i}\n`);

/** Lines come between the copy and the cut; the agent has read them by then. */
async function play(
  before: number,
  writes: number,
  isKilled: boolean,
  producer: FakeProducerOptions = {},
): Promise<FileWorld> {
  const options = { include: ['/log/a.log*'] };
  const world = new FileWorld(createSimSystem({ seed: 6 }), options, producer);
  const { clock } = world.sim.process('writer');
  const live = async () => {
    world.writer.append(path, lines('a', before));
    let source = await world.start();
    await clock.sleep(3_000);
    world.writer.copy(path, `${path}.1`);
    for (const line of late.slice(0, writes)) {
      world.writer.append(path, line);
      await clock.sleep(200);
    }
    await clock.sleep(3_000);
    if (isKilled) world.kill();
    world.writer.truncate(path);
    world.writer.append(path, lines('b', 30));
    if (isKilled) source = await world.start();
    await clock.sleep(10_000);
    await source.stop();
  };
  await world.sim.run(live(), { limitMs: 600_000 });
  return world;
}

describe('a copy that ends before what was written while it was made', () => {
  it.each([
    [100, 1, false],
    [100, 40, false],
    [100, 1, true],
    [100, 40, true],
    [20, 1, true],
    [20, 40, false],
    [20, 40, true],
  ])('is not sent again: %i lines, %i between, killed %s', async (before, writes, isKilled) => {
    const world = await play(before, writes, isKilled);
    const expected = lines('a', before) + late.slice(0, writes).join('') + lines('b', 30);
    expect(world.topics.contentOf(path)).toBe(expected);
  });

  it('nor after a batch behind it has failed', async () => {
    const world = await play(100, 20, false, { fails: (batch) => batch === 5 });
    const expected = lines('a', 100) + late.slice(0, 20).join('') + lines('b', 30);
    expect(world.topics.contentOf(path)).toBe(expected);
  });
});
