import { expect, it } from 'vitest';
import type { Log } from '../../../broker/log/index.js';
import type { System } from '../../../system/index.js';
import { type CrashKind, crashAtEveryStep } from '../../../system/sim/index.js';
import { batch, openLog, valuesOf } from './support.js';

const kinds: readonly CrashKind[] = ['kill', 'torn', 'powerLoss'];

/** What the process had been told before it died. */
interface Told {
  /** Values in the log's memory: kill -9 must not lose them. */
  appended: string[];
  /** How many of them were synced: a power cut must not lose those. */
  flushed: number;
  /** Everything ever handed to append, in order. */
  tried: string[];
}

function value(index: number): string {
  return `${index}:${'x'.repeat(40 + ((index * 37) % 90))}`;
}

function append(log: Log, told: Told, count: number): void {
  const values = Array.from({ length: count }, (_, index) => value(told.tried.length + index));
  told.tried.push(...values);
  log.append(
    batch(values, { producerId: 7, producerEpoch: 0, baseSequence: told.appended.length }),
    {
      leaderEpoch: 0,
    },
  );
  told.appended.push(...values);
}

async function flush(log: Log, told: Told): Promise<void> {
  const count = told.appended.length;
  await log.flush();
  told.flushed = count;
}

/** The broker's own folder is older than any of its logs. */
async function makeDataFolder({ disk }: System): Promise<void> {
  await disk.makeDirectory('/data');
  await disk.syncDirectory('/');
}

/** Appends over several segments, syncs now and then, and goes on after a stop in order. */
async function work(system: System, told: Told): Promise<void> {
  const log = await openLog(system);
  for (let round = 0; round < 6; round++) {
    append(log, told, 1 + (round % 3));
    append(log, told, 2);
    if (round % 2 === 1) await flush(log, told);
  }
  await log.close();
  told.flushed = told.appended.length;
  const again = await openLog(system, {}, { clean: true, recoveryPoint: log.endOffset });
  append(again, told, 3);
  await flush(again, told);
  append(again, told, 3);
  append(again, told, 3);
}

it.each(kinds)('loses nothing it promised when it is crashed at any step (%s)', async (kind) => {
  let told: Told = { appended: [], flushed: 0, tried: [] };
  let corruptFiles = 0;
  const tried = await crashAtEveryStep({
    seed: 1,
    kinds: [kind],
    prepare: (sim) => makeDataFolder(sim.process('before')),
    work: (process) => {
      told = { appended: [], flushed: 0, tried: [] };
      return work(process, told);
    },
    check: async (sim) => {
      const process = sim.process('after');
      const log = await openLog(process);
      const found = await valuesOf(log);
      const promised = kind === 'powerLoss' ? told.flushed : told.appended.length;
      expect(found.length).toBeGreaterThanOrEqual(promised);
      expect(found).toEqual(told.tried.slice(0, found.length));
      corruptFiles += process.disk
        .listSync('/data/topic-0')
        .filter((name) => name.endsWith('.corrupt')).length;
      // The log goes on where it is, and its producer too.
      const next = batch(['next'], { producerId: 8, producerEpoch: 0, baseSequence: 0 });
      const { baseOffset } = log.append(next, { leaderEpoch: 1 });
      expect(baseOffset).toBeGreaterThanOrEqual(found.length);
      expect((await valuesOf(log)).at(-1)).toBe('next');
      await log.close();
      const again = await openLog(process, {}, { clean: true, recoveryPoint: log.endOffset });
      expect(await valuesOf(again)).toEqual([...found, 'next']);
    },
  });
  expect(tried).toBeGreaterThan(40);
  if (kind !== 'powerLoss') expect(corruptFiles).toBe(0);
});

it('recovers again after a crash at any step of a recovery', async () => {
  let told: Told = { appended: [], flushed: 0, tried: [] };
  for (const kind of kinds) {
    await crashAtEveryStep({
      seed: 2,
      kinds: [kind],
      prepare: async (sim) => {
        told = { appended: [], flushed: 0, tried: [] };
        const process = sim.process('before');
        await makeDataFolder(process);
        const log = await openLog(process);
        for (let round = 0; round < 6; round++) append(log, told, 3);
        await flush(log, told);
        for (let round = 0; round < 3; round++) append(log, told, 3);
        process.kill();
      },
      work: async (process) => {
        const log = await openLog(process);
        await log.close();
      },
      check: async (sim) => {
        const log = await openLog(sim.process('after'));
        const found = await valuesOf(log);
        const promised = kind === 'powerLoss' ? told.flushed : told.appended.length;
        expect(found.length).toBeGreaterThanOrEqual(promised);
        expect(found).toEqual(told.tried.slice(0, found.length));
      },
    });
  }
});
