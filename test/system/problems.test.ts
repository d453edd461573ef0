import { describe, expect, it } from 'vitest';
import { createSimSystem } from '../../system/sim/index.js';

describe('problems', () => {
  it('are said once, listed while they last, counted, and said to be over', async () => {
    const sim = createSimSystem({ seed: 1 });
    const { problems, metrics, logLines, clock } = sim.process('any');
    const work = async () => {
      problems.raise('disk', 'the disk is full');
      problems.raise('disk', 'the disk is full');
      await clock.sleep(1_000);
      problems.raise('disk', 'the disk is fuller');
      expect(problems.list()).toEqual([
        { id: 'disk', text: 'the disk is fuller', since: clock.now() - 1_000 },
      ]);
      expect(await metrics.render()).toContain('logflume_problems 1');
      problems.clear('disk');
      problems.clear('disk');
      expect(problems.list()).toEqual([]);
    };
    await sim.run(work());
    const said = logLines.map(({ level, message }) => `${level}: ${message}`);
    expect(said).toEqual([
      'error: the disk is full',
      'error: the disk is fuller',
      'info: over: the disk is fuller',
    ]);
  });
});
