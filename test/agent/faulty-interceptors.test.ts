import { describe, expect, it } from 'vitest';
import type { Interceptor, InterceptorComponent } from '../../agent/index.js';
import { z } from '../../config/index.js';
import { createSimSystem } from '../../system/sim/index.js';
import type { FakeProducerOptions } from './fake-producer.js';
import { FileWorld, lines } from './file-world.js';

const a = '/log/a.log';

/** A source with an interceptor of a stranger. */
function worldOf(interceptor: Interceptor, producer: FakeProducerOptions = {}): FileWorld {
  const options = { interceptors: [{ type: 'strange' }] };
  const world = new FileWorld(createSimSystem({ seed: 2 }), options, producer);
  const strange: InterceptorComponent = {
    type: 'strange',
    schema: z.strictObject({}),
    create: () => interceptor,
  };
  world.interceptors = [strange];
  return world;
}

async function play(world: FileWorld, work: (pause: (ms: number) => Promise<void>) => unknown) {
  const { clock } = world.sim.process('writer');
  const live = async () => {
    await work((ms) => clock.sleep(ms));
    await world.source?.drain();
    await world.source?.stop();
  };
  await world.sim.run(live(), { limitMs: 600_000 });
}

describe('an interceptor whose onDelivered throws', () => {
  it('loses nothing of what has failed', async () => {
    const onDelivered = () => {
      throw new Error('I count badly');
    };
    const world = worldOf({ onDelivered }, { fails: (batch) => batch === 0 });
    await play(world, async (pause) => {
      world.writer.append(a, lines('one', 50));
      await world.start();
      await pause(50);
      world.writer.append(a, lines('two', 50));
      await pause(10_000);
    });
    expect(world.topics.contentOf(a)).toBe(lines('one', 50) + lines('two', 50));
  });

  it('keeps neither positions nor others from moving on, and is said until it does not', async () => {
    let isFaulty = true;
    const onDelivered = () => {
      if (isFaulty) throw new Error('I count badly');
    };
    const world = worldOf({ onDelivered });
    const problems = () => world.process?.problems.list().map(({ text }) => text);
    await play(world, async (pause) => {
      await world.start();
      world.writer.append(a, lines('one', 5));
      await pause(5_000);
      expect(problems()).toEqual([expect.stringMatching(/interceptor.* app .*: I count badly/)]);
      world.kill();
      await world.start();
      isFaulty = false;
      world.writer.append(a, 'more\n');
      await pause(5_000);
      expect(problems()).toEqual([]);
    });
    expect(world.topics.contentOf(a)).toBe(`${lines('one', 5)}more\n`);
  });
});

it('an interceptor that answers with a promise gets its records set aside as they were', async () => {
  const world = worldOf({
    // As a plugin in JavaScript may.
    intercept: (async (record: { text: string }) => {
      await Promise.resolve();
      record.text = 'too late';
      throw new Error('and it fails');
    }) as unknown as (record: unknown) => boolean,
  });
  await play(world, async (pause) => {
    await world.start();
    world.writer.append(a, 'one\ntwo\n');
    await pause(5_000);
  });
  const { disk } = world.writer;
  const kept = disk.listSync('/data/failed').map((name) => {
    return String(disk.readFileSync(`/data/failed/${name}`)).split('\n');
  });
  expect(kept.map(([, value]) => value).sort()).toEqual(['one', 'two']);
  expect(kept[0]?.[0]).toMatch(/promise/);
  expect(world.topics.records).toEqual([]);
});
