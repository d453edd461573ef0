import { expect, it } from 'vitest';
import { Log, TailMemory } from '../../../broker/log/index.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { batch, smallSettings } from './support.js';

it('bounds the memory of all logs together, the oldest bytes of any of them go first', async () => {
  const sim = createSimSystem({ seed: 1 });
  await sim.run(async () => {
    const system = sim.process('broker');
    const tail = new TailMemory(100_000);
    const settings = { ...smallSettings, segmentBytes: 1 << 20 };
    const open = (name: string) => Log.open(system, `/data/${name}-0`, settings, { tail });
    const [idle, busy] = [await open('idle'), await open('busy')];
    idle.append(batch(['x']), { leaderEpoch: 0 });
    expect(idle.read(0, 100)).toBeInstanceOf(Buffer);
    for (let index = 0; index < 500; index++) {
      busy.append(batch(['x'.repeat(1_000)]), { leaderEpoch: 0 });
      await busy.read(busy.endOffset, 1);
      expect(tail.usedBytes).toBeLessThanOrEqual(100_000);
    }
    expect(idle.read(0, 100)).toBeInstanceOf(Promise);
    expect(await idle.read(0, 100)).toHaveLength(batch(['x']).length);
    expect(busy.read(499, 100)).toBeInstanceOf(Buffer);
    expect(busy.read(0, 100)).toBeInstanceOf(Promise);
    const usedBytes = tail.usedBytes;
    await busy.close();
    expect(tail.usedBytes).toBeLessThan(usedBytes);
    await idle.close();
    expect(tail.usedBytes).toBe(0);
  });
});

it('keeps nothing of a log that nobody reads, and begins again with the first read', async () => {
  const sim = createSimSystem({ seed: 2 });
  await sim.run(async () => {
    const tail = new TailMemory(50_000);
    const settings = { ...smallSettings, segmentBytes: 1 << 20 };
    const log = await Log.open(sim.process('broker'), '/data/log-0', settings, { tail });
    const append = () => log.append(batch(['x'.repeat(1_000)]), { leaderEpoch: 0 });
    for (let index = 0; index < 40; index++) append();
    expect(log.read(39, 100)).toBeInstanceOf(Buffer);
    for (let index = 0; index < 40; index++) append();
    expect(log.read(79, 100)).toBeInstanceOf(Buffer);
    for (let index = 0; index < 60; index++) append();
    expect(tail.usedBytes).toBe(0);
    expect(log.read(139, 100)).toBeInstanceOf(Promise);
    append();
    expect(log.read(140, 100)).toBeInstanceOf(Buffer);
    expect(await log.read(139, 100)).toHaveLength(batch(['x'.repeat(1_000)]).length);
    for (let index = 0; index < 60; index++) append();
    expect(tail.usedBytes).toBe(0);
    // A reader that waits at the end counts too.
    expect(log.read(log.endOffset, 100)).toHaveLength(0);
    append();
    expect(log.read(log.endOffset - 1, 100)).toBeInstanceOf(Buffer);
    await log.close();
  });
});
