import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createSimSystem, type Simulation } from '../../../system/sim/index.js';
import { batch, codeOf, directory, openLog, readAll, valuesOf } from './support.js';

const epoch = { leaderEpoch: 0 };
const value = (index: number) => `${index}:${'x'.repeat(90)}`;

/** Codes of a roll's failure, and which of its files the failure hits. */
const failures = ['.log', '.index', '.timeindex', '.snapshot'].flatMap((suffix) =>
  ['ENOSPC', 'EMFILE', 'EIO'].map((code) => [suffix, code] as const),
);

async function rolls(
  sim: Simulation,
  suffix: string,
  code: string,
  stop: 'kill' | 'close',
): Promise<void> {
  const system = sim.process('broker');
  const log = await openLog(system, { segmentBytes: 400 });
  const acknowledged: [number, string][] = [];
  const append = async (text: string) => {
    const appended = { baseOffset: -1 };
    const error = await codeOf(() => Object.assign(appended, log.append(batch([text]), epoch)));
    if (error === undefined) acknowledged.push([appended.baseOffset, text]);
    return error;
  };
  for (let index = 0; index < 2; index++) await append(value(index));
  const heal = sim.volume().inject(({ call, path, creates }) => {
    return call === 'open' && creates && path.endsWith(suffix) ? code : undefined;
  });
  // The large one needs a new segment, the small ones still fit into the old one.
  expect(await append('x'.repeat(200))).toBeDefined();
  await append('small');
  await append('small too');
  heal();
  if (code !== 'EIO') expect(await append('healed')).toBeUndefined();
  if (stop === 'kill') system.kill();
  else await log.close().catch(() => {});
  const clean = stop === 'close' && code !== 'EIO';
  const again = await openLog(sim.process('again'), {}, { clean, recoveryPoint: 0 });
  const next = again.append(batch(['next']), epoch).baseOffset;
  expect(next).toBe(acknowledged.length);
  const found = (await readAll(again)).map(({ offset, value: text }) => [offset, text]);
  expect(found).toEqual([...acknowledged, [next, 'next']]);
}

it.each(failures)('a roll that fails at its %s with %s reuses no offset', async (suffix, code) => {
  for (const stop of ['kill', 'close'] as const) {
    const sim = createSimSystem({ seed: 5 });
    await sim.run(rolls(sim, suffix, code, stop));
  }
});

it.each([true, false])(
  'an empty segment that a failed roll left ends no log (clean: %s)',
  (clean) => {
    const sim = createSimSystem({ seed: 6 });
    return sim.run(async () => {
      const system = sim.process('broker');
      const log = await openLog(system);
      for (let index = 0; index < 4; index++) log.append(batch([`v${index}`]), epoch);
      const { disk } = system;
      for (const base of ['2', '3']) {
        const name = base.padStart(20, '0');
        for (const suffix of ['.log', '.index']) {
          disk.openSync(join(directory, name + suffix), 'w').closeSync();
        }
      }
      await log.close();
      // The recovery point may be the very base of the leftover.
      const again = await openLog(system, {}, { clean, recoveryPoint: 3 });
      expect(again.endOffset).toBe(4);
      expect(await valuesOf(again)).toEqual(['v0', 'v1', 'v2', 'v3']);
      expect(disk.listSync(directory)).not.toContain(`${'3'.padStart(20, '0')}.log`);
      expect(disk.listSync(directory)).not.toContain(`${'3'.padStart(20, '0')}.index`);
    });
  },
);

it('an empty last segment behind all records keeps its base, as retention leaves it', () => {
  const sim = createSimSystem({ seed: 7 });
  return sim.run(async () => {
    const system = sim.process('broker');
    const log = await openLog(system, { retentionMs: 10 });
    for (let index = 0; index < 4; index++) log.append(batch([`v${index}`]), epoch);
    await system.clock.sleep(100);
    await log.applyRetention(system.clock.now());
    system.kill();
    const again = await openLog(sim.process('again'));
    expect([again.startOffset, again.endOffset]).toEqual([4, 4]);
  });
});

it('repeats of the last five batches are known after a power cut behind a roll', async () => {
  const producer = { producerId: 7, producerEpoch: 0 };
  const one = (index: number) => batch([value(index)], { ...producer, baseSequence: index });
  for (let seed = 1; seed < 40; seed++) {
    const sim = createSimSystem({ seed });
    await sim.run(async () => {
      const system = sim.process('broker');
      await system.disk.makeDirectory('/data');
      await system.disk.syncDirectory('/');
      const log = await openLog(system);
      let count = 0;
      while (log.segmentCount < 2) log.append(one(count++), epoch);
      await log.flush();
      sim.powerLoss();
      const known = { recoveryPoint: log.flushedOffset };
      const again = await openLog(sim.process('broker'), {}, known);
      for (let index = count - 5; index < count; index++) {
        const { duplicate, baseOffset } = again.append(one(index), epoch);
        expect({ seed, duplicate, baseOffset }).toEqual({
          ...{ seed, duplicate: true, baseOffset: index },
        });
      }
    });
  }
});
