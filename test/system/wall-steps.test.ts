import { expect, it } from 'vitest';
import { WallSteps } from '../../system/index.js';
import { createSimSystem } from '../../system/sim/index.js';

it('tells when the wall clock was seen to be set, and takes drift and long waits for no step', async () => {
  const sim = createSimSystem({ seed: 1 });
  const { clock } = sim.process('any');
  const steps = new WallSteps(clock);
  await sim.advance(3_600_000);
  sim.stepWallClock(900);
  expect(steps.lastMs).toBe(Number.NEGATIVE_INFINITY);
  await sim.advance(3_600_000);
  sim.stepWallClock(-900);
  expect(steps.lastMs).toBe(Number.NEGATIVE_INFINITY);
  for (const byMs of [60_000, -60_000, -3_600_000]) {
    sim.stepWallClock(byMs);
    const seenMs = clock.monotonic();
    expect(steps.lastMs).toBe(seenMs);
    await sim.advance(5_000);
    expect(steps.lastMs).toBe(seenMs);
  }
});
