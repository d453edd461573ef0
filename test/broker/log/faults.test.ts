import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createSimSystem } from '../../../system/sim/index.js';
import { batch, codeOf, directory, openLog, valuesOf } from './support.js';

const epoch = { leaderEpoch: 0 };

it('refuses what does not fit a full disk, and goes on once there is room', async () => {
  // Every capacity, so that each call of an append and of a roll is the one that fails.
  for (let roomBytes = 0; roomBytes < 3_000; roomBytes += 41) {
    const sim = createSimSystem({ seed: 1 });
    await sim.run(async () => {
      const system = sim.process('broker');
      const volume = sim.volume();
      const log = await openLog(system, { segmentBytes: 400, indexIntervalBytes: 100 });
      log.append(batch(['first']), epoch);
      volume.capacityBytes = volume.usedBytes + roomBytes;
      const kept = ['first'];
      let refused = 0;
      for (let index = 0; index < 12; index++) {
        const value = `${index}:${'x'.repeat(60)}`;
        const options = { producerId: 1, producerEpoch: 0, baseSequence: kept.length - 1 };
        const code = await codeOf(() => log.append(batch([value], options), epoch));
        if (code === undefined) kept.push(value);
        else {
          expect(code).toBe('DISK_FULL');
          refused++;
        }
        expect(await valuesOf(log)).toEqual(kept);
      }
      if (roomBytes < 500) expect(refused).toBeGreaterThan(0);
      volume.capacityBytes = Number.POSITIVE_INFINITY;
      for (let index = 0; index < 4; index++) {
        const options = { producerId: 1, producerEpoch: 0, baseSequence: kept.length - 1 };
        log.append(batch([`late ${index}`], options), epoch);
        kept.push(`late ${index}`);
      }
      expect(await valuesOf(log)).toEqual(kept);
      system.kill();
      const again = await openLog(sim.process('again'));
      expect(await valuesOf(again)).toEqual(kept);
    });
  }
});

it('cuts off what a failed write left behind, and takes no more appends', async () => {
  const sim = createSimSystem({ seed: 3 });
  await sim.run(async () => {
    const system = sim.process('broker');
    const log = await openLog(system);
    log.append(batch(['a']), epoch);
    const heal = sim.volume().inject(({ call }) => (call === 'write' ? 'EIO' : undefined));
    const both = Buffer.concat([batch(['b']), batch(['c'])]);
    expect(await codeOf(() => log.append(both, epoch))).toBe('KAFKA_STORAGE_ERROR');
    heal();
    expect(await codeOf(() => log.append(batch(['d']), epoch))).toBe('KAFKA_STORAGE_ERROR');
    expect(await valuesOf(log)).toEqual(['a']);
    const [name] = system.disk.listSync(directory).filter((one) => one.endsWith('.log'));
    expect(system.disk.statSync(join(directory, name!))?.size).toBe(batch(['a']).length);
    system.kill();
    expect(await valuesOf(await openLog(sim.process('again')))).toEqual(['a']);
  });
});

it('says that a disk that cannot be read cannot be read', async () => {
  const sim = createSimSystem({ seed: 4 });
  await sim.run(async () => {
    const system = sim.process('broker');
    const log = await openLog(system);
    for (let index = 0; index < 30; index++) log.append(batch(['x'.repeat(90)]), epoch);
    await log.close();
    const again = await openLog(system, {}, { clean: true, recoveryPoint: 30 });
    sim.volume().inject(({ call }) => (call === 'read' ? 'EIO' : undefined));
    expect(await codeOf(() => again.read(0, 100))).toBe('KAFKA_STORAGE_ERROR');
    expect(await codeOf(() => again.offsetForTimestamp(0))).toBe('KAFKA_STORAGE_ERROR');
    expect(await codeOf(() => openLog(system))).toBe('KAFKA_STORAGE_ERROR');
  });
});

it('a sync that fails while the log is being closed makes the stop unclean', () => {
  const sim = createSimSystem({ seed: 3 });
  return sim.run(async () => {
    const system = sim.process('broker');
    const log = await openLog(system);
    log.append(batch(['kept']), epoch);
    let failures = 1;
    sim
      .volume()
      .inject(({ call, path }) =>
        call === 'sync' && path.endsWith('.log') && failures-- > 0 ? 'EIO' : undefined,
      );
    const flushed = codeOf(() => log.flush());
    expect(await codeOf(() => log.close())).toBe('KAFKA_STORAGE_ERROR');
    expect(await flushed).toBe('KAFKA_STORAGE_ERROR');
  });
});
