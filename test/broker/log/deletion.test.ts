import { beforeEach, describe, expect, it } from 'vitest';
import { type Log, type LogSettings, TailMemory } from '../../../broker/log/index.js';
import { createSimSystem, type SimProcess, type Simulation } from '../../../system/sim/index.js';
import { batch, codeOf, directory, openLog, valuesOf } from './support.js';

let sim: Simulation;
let system: SimProcess;

beforeEach(() => {
  sim = createSimSystem({ seed: 1 });
  system = sim.process('broker');
});

const epoch = { leaderEpoch: 0 };

/** Ten segments of two records each, one millisecond apart. */
async function filled(settings: Partial<LogSettings>): Promise<Log> {
  const small = { segmentBytes: 200, fileDeleteDelayMs: 1_000, ...settings };
  const log = await openLog(system, small, { tail: new TailMemory(0) });
  for (let index = 0; index < 20; index++) {
    const options = { producerId: 1, producerEpoch: 0, baseSequence: index };
    const value = `${index}`.padEnd(25, 'x');
    log.append(batch([value], { ...options, timestamp: 1_000 + index }), {
      leaderEpoch: Math.floor(index / 6),
    });
  }
  expect(log.segmentCount).toBe(10);
  return log;
}

function names(suffix: string): string[] {
  return system.disk.listSync(directory).filter((name) => name.endsWith(suffix));
}

describe('retention', () => {
  it('deletes segments whose newest record is too old, after a delay', () =>
    sim.run(async () => {
      const log = await filled({ retentionMs: 500 });
      expect(await log.applyRetention(1_500)).toBe(0);
      expect(await log.applyRetention(1_505)).toBe(2);
      expect(log.startOffset).toBe(4);
      expect(await codeOf(() => log.read(3, 100))).toBe('OFFSET_OUT_OF_RANGE');
      expect(await valuesOf(log)).toHaveLength(16);
      expect(log.offsetForLeaderEpoch(0)).toEqual({ epoch: 0, endOffset: 6 });
      // Three files each; snapshot and sequences at the second's start.
      expect(names('.deleted')).toHaveLength(8);
      expect(names('.log')).toHaveLength(8);
      await system.clock.sleep(1_005);
      expect(names('.deleted')).toHaveLength(0);
    }));

  it('rolls the last segment when that is too old as well', () =>
    sim.run(async () => {
      const log = await filled({ retentionMs: 500 });
      expect(await log.applyRetention(10_000)).toBe(10);
      expect([log.startOffset, log.endOffset, log.sizeBytes]).toEqual([20, 20, 0]);
      const options = { producerId: 1, producerEpoch: 0, baseSequence: 20 };
      expect(log.append(batch(['next'], options), epoch).baseOffset).toBe(20);
      await log.close();
      const again = await openLog(system, {}, { clean: true, recoveryPoint: 21, startOffset: 20 });
      expect(await valuesOf(again)).toEqual(['next']);
    }));

  it('deletes the oldest segments beyond the size, nothing above the high watermark', () =>
    sim.run(async () => {
      const log = await filled({ retentionBytes: 500 });
      expect(await log.applyRetention(2_000, 3)).toBe(1);
      expect(await log.applyRetention(2_000)).toBeGreaterThan(4);
      expect(log.sizeBytes).toBeGreaterThanOrEqual(500);
      expect(log.sizeBytes).toBeLessThan(700);
    }));

  it('spares a compacted topic', () =>
    sim.run(async () => {
      const log = await filled({ retentionMs: 1, retentionBytes: 1, cleanupPolicy: 'compact' });
      expect(await log.applyRetention(1e12)).toBe(0);
    }));

  it('lets reads that have begun end', () =>
    sim.run(async () => {
      const log = await filled({ retentionMs: 500 });
      const reading = log.read(0, 100);
      await log.applyRetention(1_505);
      const outcome = await Promise.resolve(reading).then(
        (bytes) => bytes.length > 0,
        (error: { code: string }) => error.code,
      );
      expect([true, 'OFFSET_OUT_OF_RANGE']).toContain(outcome);
    }));

  it('is finished by the next start after a crash', () =>
    sim.run(async () => {
      const log = await filled({ retentionMs: 500 });
      await log.applyRetention(1_505);
      system.kill();
      system = sim.process('again');
      const again = await openLog(system);
      expect([again.startOffset, again.endOffset]).toEqual([4, 20]);
      expect(names('.deleted')).toHaveLength(0);
    }));
});

describe('deleteBefore', () => {
  it('moves the start into a segment and deletes those before', () =>
    sim.run(async () => {
      const log = await filled({});
      expect(await log.deleteBefore(7)).toBe(7);
      expect(log.segmentCount).toBe(7);
      expect((await valuesOf(log))[0]).toMatch(/^7x/);
      expect(await codeOf(() => log.read(6, 100))).toBe('OFFSET_OUT_OF_RANGE');
      expect(await log.offsetForTimestamp(0)).toMatchObject({ offset: 7 });
      expect(await codeOf(() => log.deleteBefore(21))).toBe('OFFSET_OUT_OF_RANGE');
      await log.close();
      const options = { clean: true, recoveryPoint: 20, startOffset: 7 };
      expect((await openLog(system, {}, options)).startOffset).toBe(7);
    }));
});

describe('truncateTo', () => {
  it.each([20, 19, 13, 12, 5, 1, 0])('cuts the log at %i', (cut) =>
    sim.run(async () => {
      let lowered = 0;
      const log = await filled({});
      await log.close();
      const again = await openLog(
        system,
        { segmentBytes: 200 },
        {
          clean: true,
          recoveryPoint: 20,
          onRecoveryPointLowered: async () => {
            lowered++;
          },
        },
      );
      await again.truncateTo(cut);
      expect(lowered).toBe(cut === 20 ? 0 : 1);
      expect([again.endOffset, again.flushedOffset]).toEqual([cut, cut]);
      expect(await valuesOf(again)).toHaveLength(cut);
      expect(again.latestEpoch).toBe(Math.floor((cut - 1) / 6));
      const options = { producerId: 1, producerEpoch: 0, baseSequence: cut };
      const { baseOffset } = again.append(batch(['new'], options), { leaderEpoch: 9 });
      expect(baseOffset).toBe(cut);
      expect((await valuesOf(again)).at(-1)).toBe('new');
      await again.flush();
      sim.powerLoss();
      const last = await openLog(sim.process('last'), {}, { recoveryPoint: Math.min(cut, 20) });
      expect(await valuesOf(last)).toHaveLength(cut + 1);
      expect(last.latestEpoch).toBe(9);
    }),
  );

  it('removes the whole of a batch that holds the offset', () =>
    sim.run(async () => {
      const log = await openLog(system);
      log.append(batch(['a', 'b']), epoch);
      log.append(batch(['c', 'd']), epoch);
      await log.truncateTo(3);
      expect(log.endOffset).toBe(2);
      expect(await valuesOf(log)).toEqual(['a', 'b']);
    }));
});
