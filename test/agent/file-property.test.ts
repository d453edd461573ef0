import { expect, it } from 'vitest';
import { createSimSystem } from '../../system/sim/index.js';
import { fc } from '../fast-check.js';
import { FileWorld, lines } from './file-world.js';

type Action =
  | { readonly type: 'append'; readonly lines: number }
  | { readonly type: 'partial' }
  | { readonly type: 'rename' | 'copytruncate' | 'recreate' | 'shift' }
  | { readonly type: 'kill'; readonly downMs: number }
  | { readonly type: 'pause'; readonly ms: number };

const action = (crashes: boolean): fc.Arbitrary<Action> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('append' as const),
        lines: fc.integer({ min: 1, max: 60 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('partial' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constantFrom(
          'rename' as const,
          'copytruncate' as const,
          'recreate' as const,
          'shift' as const,
        ),
      }),
    },
    {
      weight: crashes ? 2 : 0,
      arbitrary: fc.record({
        type: fc.constant('kill' as const),
        downMs: fc.integer({ min: 0, max: 3000 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('pause' as const),
        ms: fc.integer({ min: 0, max: 2000 }),
      }),
    },
  );

/** Plays the actions on one file; resolves with what was written, line by line. */
async function play(world: FileWorld, actions: readonly Action[], header: string): Promise<string> {
  const { disk } = world.writer;
  const { clock } = world.sim.process('writer');
  const path = '/log/a.log';
  let written = '';
  let rotations = 0;
  let count = 0;
  const append = (text: string) => {
    if (header && disk.statSync(path)?.size === 0) text = header + text;
    world.writer.append(path, text);
    written += text;
  };
  const finishLine = () => {
    if (written !== '' && !written.endsWith('\n')) append('end\n');
  };
  await world.start();
  for (const one of actions) {
    // Files of one age could not be told apart.
    await clock.sleep(2);
    switch (one.type) {
      case 'append':
        append(lines('l', one.lines, count));
        count += one.lines;
        break;
      case 'partial':
        append(`begun ${count++}`);
        break;
      case 'rename':
        if (disk.statSync(path)) disk.renameSync(path, `${path}.${++rotations}`);
        world.writer.append(path, '');
        break;
      case 'shift':
        // Older generations move up, as logrotate's do.
        if (disk.statSync(`${path}.${rotations}`)) {
          disk.renameSync(`${path}.${rotations}`, `${path}.${rotations + 100}`);
        }
        rotations += 100;
        break;
      case 'copytruncate':
        if (!disk.statSync(path)?.size) break;
        finishLine();
        // An order that leaves no trace cannot be kept: the agent must have seen the file.
        await clock.sleep(100);
        world.writer.copy(path, `${path}.${++rotations}`);
        await clock.sleep(count % 3 === 0 ? 40 : 0);
        world.writer.truncate(path);
        break;
      case 'recreate':
        // What nobody has seen cannot be delivered: the agent gets the time to open it.
        finishLine();
        await clock.sleep(2500);
        if (disk.statSync(path)) disk.removeSync(path);
        world.writer.append(path, '');
        break;
      case 'kill':
        finishLine();
        world.kill();
        await clock.sleep(one.downMs);
        await world.start();
        break;
      case 'pause':
        await clock.sleep(one.ms);
    }
  }
  await clock.sleep(10_000);
  await world.source?.drain();
  await world.source?.stop();
  return written;
}

const globs = fc.constantFrom(['/log/*.log'], ['/log/*.log*']);

it('delivers every line of every generation, in order and once, while it lives', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action(false), { maxLength: 25 }),
      globs,
      fc.nat(),
      async (actions, include, seed) => {
        const world = new FileWorld(createSimSystem({ seed }), { include });
        const written = await world.sim.run(play(world, actions, ''));
        expect(world.topics.contentOf('/log/a.log')).toBe(written);
        expect(world.topics.keys.filter((key) => key !== '/log/a.log')).toEqual([]);
      },
    ),
    { numRuns: 50 },
  );
});

it('loses nothing when it is killed, and repeats only what was in flight', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action(true), { maxLength: 25 }),
      globs,
      fc.nat(),
      async (actions, include, seed) => {
        const world = new FileWorld(createSimSystem({ seed }), { include });
        const written = await world.sim.run(play(world, actions, ''));
        const delivered = world.topics.contentOf('/log/a.log').split('\n');
        const seen = new Set<string>();
        const first = delivered.filter(
          (line) => line === 'end' || (!seen.has(line) && seen.add(line)),
        );
        const expected = written.split('\n');
        expect(new Set(first)).toEqual(new Set(expected));
        expect(first.filter((l) => l !== 'end')).toEqual(expected.filter((l) => l !== 'end'));
        expect(world.topics.keys.filter((key) => key !== '/log/a.log')).toEqual([]);
      },
    ),
    { numRuns: 50 },
  );
});
