import { expect, it } from 'vitest';
import type { Log, LogOptions } from '../../../broker/log/index.js';
import { batchesOf } from '../../../protocol/records/index.js';
import { forEachSeed, type Simulation } from '../../../system/sim/index.js';
import { batch, codeOf, openLog, readAll, recordsOf } from './support.js';

/** What the log has told, across all its lives. */
interface Told {
  /** Values by offset, as acknowledged. */
  readonly values: Map<number, string>;
  /** Every record before it was synced. */
  flushed: number;
  /** Behind the last acknowledged record. */
  end: number;
  /** What the log directory's checkpoint would say. */
  recoveryPoint: number;
}

/** Numbers below `bound` that depend on the seed only. */
function dice(seed: number): (bound: number) => number {
  let state = (seed * 2654435761 + 1) >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

const settings = { segmentBytes: 600, indexIntervalBytes: 120 };

/** One life of the broker: appends, reads and syncs as the dice say. */
async function live(log: Log, told: Told, roll: (bound: number) => number): Promise<void> {
  const syncs: Promise<unknown>[] = [];
  for (let step = roll(30); step > 0; step--) {
    const choice = roll(10);
    if (choice < 6) {
      const buffers = Array.from({ length: 1 + roll(3) }, (_, index) =>
        batch(
          Array.from({ length: 1 + roll(3) }, () => `${step}.${index}.${'x'.repeat(roll(120))}`),
        ),
      );
      for (const bytes of buffers) {
        const values = recordsOf(bytes).map(({ value }) => value);
        const { lastOffset } = log.append(bytes, { leaderEpoch: 0 });
        for (const value of values) told.values.set(told.end++, value);
        expect(told.end).toBe(lastOffset + 1);
      }
    } else if (choice < 8) {
      const offset = log.endOffset;
      const synced = log.flushed(offset).then(() => {
        told.flushed = Math.max(told.flushed, offset);
        if (roll(2) === 0) told.recoveryPoint = log.flushedOffset;
      });
      syncs.push(synced.catch(() => undefined));
      if (choice === 7) await synced;
    } else if (log.endOffset > 0) {
      const offset = roll(log.endOffset);
      const [first] = batchesOf(await log.read(offset, 200));
      expect(first!.baseOffset).toBeLessThanOrEqual(offset);
    }
  }
}

async function check(log: Log, told: Told, promised: number): Promise<void> {
  const found = await readAll(log, 0);
  const expected = [...told.values].sort(([a], [b]) => a - b);
  expect(found.length).toBeGreaterThanOrEqual(expected.filter(([at]) => at < promised).length);
  const prefix = expected.slice(0, found.length).map(([offset, value]) => ({ offset, value }));
  expect(found.map(({ offset, value }) => ({ offset, value }))).toEqual(prefix);
  expect(log.endOffset).toBeGreaterThanOrEqual((found.at(-1)?.offset ?? -1) + 1);
  // What is gone was promised to nobody.
  for (const [offset] of expected.slice(found.length)) told.values.delete(offset);
  told.end = log.endOffset;
  told.flushed = Math.min(told.flushed, told.end);
  told.recoveryPoint = Math.min(told.recoveryPoint, log.flushedOffset);
}

async function severalLives(sim: Simulation): Promise<void> {
  const roll = dice(sim.seed);
  const told: Told = { values: new Map(), flushed: 0, end: 0, recoveryPoint: 0 };
  const { disk } = sim.process('first');
  disk.makeDirectorySync('/data');
  disk.syncDirectorySync('/');
  let options: LogOptions = {};
  let promised = 0;
  for (let life = 0; life < 6; life++) {
    const process = sim.process(`broker ${life}`);
    const log = await openLog(process, settings, options);
    await check(log, told, promised);
    await live(log, told, roll);
    const ending = roll(4);
    if (ending === 0) {
      await log.close();
      [promised, told.recoveryPoint] = [told.end, log.flushedOffset];
    } else if (ending === 1) {
      sim.powerLoss();
      promised = told.flushed;
    } else {
      process.kill();
      promised = told.end;
    }
    options = { clean: ending === 0, recoveryPoint: told.recoveryPoint };
  }
}

it('keeps its promises through random lives that end in any way', async () => {
  const seeds = Number(process.env.LOG_SEEDS ?? 20);
  await forEachSeed(
    Array.from({ length: seeds }, (_, index) => index + 1),
    severalLives,
  );
});

it('keeps them on a disk that is full most of the time', async () => {
  await forEachSeed([1, 2, 3, 4, 5, 6], async (sim) => {
    const roll = dice(sim.seed);
    const kept: string[] = [];
    const log = await openLog(sim.process('broker'), settings);
    const volume = sim.volume();
    for (let index = 0; index < 60; index++) {
      if (index % 5 === 0) volume.capacityBytes = volume.usedBytes + roll(1_500);
      const value = `${index}.${'x'.repeat(roll(100))}`;
      const code = await codeOf(() => log.append(batch([value]), { leaderEpoch: 0 }));
      if (code === undefined) kept.push(value);
      else expect(code).toBe('DISK_FULL');
    }
    sim.process('broker').kill();
    volume.capacityBytes = Number.POSITIVE_INFINITY;
    const again = await openLog(sim.process('again'), settings);
    expect((await readAll(again)).map(({ value }) => value)).toEqual(kept);
  });
});
