import { expect, it } from 'vitest';
import { Log } from '../../../broker/log/index.js';
import type { DiskFile, System } from '../../../system/index.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { batch, codeOf, directory, openLog, smallSettings, valuesOf } from './support.js';

const epoch = { leaderEpoch: 0 };
/** The active segment, and those that stay open for readers. */
const MOST_OPEN = 5;

/** The same system, which counts the `.log` files that are open. */
function counting(system: System): { readonly system: System; readonly open: Set<DiskFile> } {
  const open = new Set<DiskFile>();
  const { disk } = system;
  const openSync: typeof disk.openSync = (path, mode) => {
    const file = disk.openSync(path, mode);
    if (!path.endsWith('.log')) return file;
    open.add(file);
    const close = file.closeSync.bind(file);
    file.closeSync = () => {
      open.delete(file);
      close();
    };
    return file;
  };
  return { system: { ...system, disk: { ...disk, openSync } }, open };
}

it('segments that were synced or read give their descriptors back', () => {
  const sim = createSimSystem({ seed: 1 });
  return sim.run(async () => {
    const { system, open } = counting(sim.process('broker'));
    const log = await Log.open(system, directory, { ...smallSettings, segmentBytes: 300 });
    for (let index = 0; index < 60; index++) log.append(batch(['x'.repeat(90)]), epoch);
    expect(log.segmentCount).toBeGreaterThan(20);
    await log.flush();
    expect(open.size).toBeLessThanOrEqual(MOST_OPEN);
    await log.truncateTo(58);
    expect(open.size).toBeLessThanOrEqual(MOST_OPEN);
    await log.close();
    expect(open.size).toBe(0);

    const again = await Log.open(system, directory, { ...smallSettings, segmentBytes: 300 });
    const reads = Array.from({ length: 58 }, (_, offset) => again.read(offset, 400));
    await Promise.all(reads);
    expect(open.size).toBeLessThanOrEqual(MOST_OPEN);
    expect((await valuesOf(again)).length).toBe(58);
  });
});

it('a sync of flush.ms that found no descriptor is tried again by itself', () => {
  const sim = createSimSystem({ seed: 2 });
  return sim.run(async () => {
    const system = sim.process('broker');
    const log = await openLog(system, { flushMs: 100 });
    const heal = sim.volume().inject(({ opens }) => (opens === true ? 'EMFILE' : undefined));
    log.append(batch(['a']), epoch);
    await system.clock.sleep(5_000);
    expect(log.flushedOffset).toBe(0);
    heal();
    await system.clock.sleep(5_000);
    expect(log.flushedOffset).toBe(1);
    await log.close();
  });
});

it('a stop on a full disk makes durable what was taken, though it cannot be in order', () => {
  const sim = createSimSystem({ seed: 3 });
  return sim.run(async () => {
    const log = await openLog(sim.process('broker'));
    const values = Array.from({ length: 12 }, (_, index) => `${index}`.padEnd(200, '.'));
    for (const value of values) log.append(batch([value]), epoch);
    const isFull = ({ creates }: { creates?: boolean }) => (creates ? 'ENOSPC' : undefined);
    const heal = sim.volume().inject(isFull);
    expect(await codeOf(() => log.close())).toBe('DISK_FULL');
    sim.powerLoss();
    heal();
    expect(await valuesOf(await openLog(sim.process('again')))).toEqual(values);
  });
});
