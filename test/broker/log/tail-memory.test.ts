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
      expect(tail.usedBytes).toBeLessThanOrEqual(100_000);
    }
    expect(idle.read(0, 100)).toBeInstanceOf(Promise);
    expect(await idle.read(0, 100)).toHaveLength(batch(['x']).length);
    expect(busy.read(499, 100)).toBeInstanceOf(Buffer);
    expect(busy.read(0, 100)).toBeInstanceOf(Promise);
    await busy.close();
    await idle.close();
    expect(tail.usedBytes).toBe(0);
  });
});
