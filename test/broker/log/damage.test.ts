import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { System } from '../../../system/index.js';
import { createSimSystem, type SimProcess } from '../../../system/sim/index.js';
import { batch, directory, openLog, readAll, valuesOf } from './support.js';

type Files = ReadonlyMap<string, Buffer>;

const epochBytes = { from: 12, to: 16 };

/** The files of a small log: two sealed segments and one that was being written. */
async function sampleFiles(close: boolean): Promise<{ files: Files; values: string[] }> {
  const sim = createSimSystem({ seed: 1 });
  return sim.run(async () => {
    const system = sim.process('writer');
    const { disk } = system;
    const log = await openLog(system, { segmentBytes: 250, indexIntervalBytes: 100 });
    const values: string[] = [];
    for (let index = 0; index < 8; index++) {
      const pair = [`${index}a`, `${index}b`];
      const options = { producerId: 5, producerEpoch: 0, baseSequence: values.length };
      log.append(batch(pair, { ...options, timestamp: 1_000 + index }), { leaderEpoch: 3 });
      values.push(...pair);
    }
    expect(log.segmentCount).toBe(3);
    if (close) await log.close();
    else await log.flush();
    const names = disk.listSync(directory);
    const files = new Map(names.map((name) => [name, disk.readFileSync(join(directory, name))]));
    return { files, values };
  });
}

function writeFiles({ disk }: System, files: Files): void {
  disk.makeDirectorySync(directory);
  for (const [name, bytes] of files) disk.replaceFileSync(join(directory, name), bytes);
}

/** Runs `check` in a world of its own that holds these files. */
async function withFiles(files: Files, check: (process: SimProcess) => Promise<void>) {
  const sim = createSimSystem({ seed: 1 });
  await sim.run(async () => {
    const process = sim.process('reader');
    writeFiles(process, files);
    await check(process);
  });
}

function logNames(files: Files): string[] {
  return [...files.keys()].filter((name) => name.endsWith('.log')).sort();
}

function replaced(files: Files, name: string, bytes: Buffer): Files {
  return new Map([...files, [name, bytes]]);
}

/** The batches of a `.log` file: where each starts, and the position behind it. */
function batchRanges(log: Buffer): { start: number; end: number }[] {
  const ranges = [];
  for (let start = 0; start < log.length; ) {
    const end = start + 12 + log.readInt32BE(start + 8);
    ranges.push({ start, end });
    start = end;
  }
  return ranges;
}

function errorsOf(process: SimProcess): string[] {
  return process.logLines.filter(({ level }) => level === 'error').map(({ message }) => message);
}

it('cuts a last segment that ends at any byte back to its whole batches', async () => {
  const { files, values } = await sampleFiles(false);
  const name = logNames(files).at(-1)!;
  const bytes = files.get(name)!;
  const before = values.length - 2 * batchRanges(bytes).length;
  for (let length = 0; length <= bytes.length; length++) {
    const whole = batchRanges(bytes).filter(({ end }) => end <= length).length;
    await withFiles(replaced(files, name, bytes.subarray(0, length)), async (process) => {
      const log = await openLog(process);
      expect(await valuesOf(log)).toEqual(values.slice(0, before + 2 * whole));
      expect(log.endOffset).toBe(before + 2 * whole);
      const size = process.disk.statSync(join(directory, name))?.size;
      expect(size).toBe(batchRanges(bytes)[whole - 1]?.end ?? 0);
      expect(errorsOf(process)).toEqual([]);
    });
  }
});

it('notices a flipped byte anywhere and keeps what is lost beside, with its offsets', async () => {
  const { files, values } = await sampleFiles(false);
  const names = logNames(files);
  for (const name of names.slice(1)) {
    const bytes = files.get(name)!;
    const ranges = batchRanges(bytes);
    for (let at = 0; at < bytes.length; at++) {
      const hit = ranges.findIndex(({ end }) => at < end);
      const inBatch = at - ranges[hit]!.start;
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 0x10;
      await withFiles(replaced(files, name, flipped), async (process) => {
        const log = await openLog(process);
        const found = await valuesOf(log);
        // The leader epoch is the one field that nothing covers.
        if (inBatch >= epochBytes.from && inBatch < epochBytes.to) {
          expect(found).toEqual(values);
          return;
        }
        const base = Number(name.slice(0, 20));
        expect(found).toEqual(values.slice(0, base + 2 * hit));
        const last = name === names.at(-1) && hit === ranges.length - 1;
        const corrupt = process.disk.listSync(directory).filter((one) => one.endsWith('.corrupt'));
        expect(corrupt.length > 0).toBe(!last);
        expect(errorsOf(process)).toHaveLength(last ? 0 : 1);
        if (last) return;
        expect(process.disk.readFileSync(join(directory, `${name}.corrupt`))).toEqual(flipped);
        expect(log.endOffset).toBe(values.length);
        log.append(batch(['new']), { leaderEpoch: 4 });
        expect((await readAll(log)).at(-1)).toMatchObject({ offset: values.length, value: 'new' });
      });
    }
  }
});

it('sees records missing between two segments', async () => {
  const { files, values } = await sampleFiles(false);
  const [first] = logNames(files);
  const bytes = files.get(first!)!;
  const [range] = batchRanges(bytes);
  await withFiles(replaced(files, first!, bytes.subarray(0, range!.end)), async (process) => {
    const log = await openLog(process);
    expect(await valuesOf(log)).toEqual(values.slice(0, 2));
    expect(log.endOffset).toBe(values.length);
    expect(errorsOf(process)).toHaveLength(1);
  });
});

it('builds indexes that are missing, cut or wrong anew, after a clean stop too', async () => {
  const { files, values } = await sampleFiles(true);
  const indexes = [...files.keys()].filter((name) => /\.(time)?index$/.test(name));
  expect(indexes).toHaveLength(6);
  for (const name of indexes) {
    const bytes = files.get(name)!;
    const damages: [string, Buffer | undefined][] = [
      ['missing', undefined],
      ['empty', Buffer.alloc(0)],
      ['cut', bytes.subarray(0, Math.max(0, bytes.length - 1))],
      ['noise', Buffer.alloc(bytes.length, 0x5a)],
    ];
    if (name.endsWith('.index') && bytes.length > 0) {
      const shifted = Buffer.from(bytes);
      shifted.writeInt32BE(bytes.readInt32BE(4) + 1, 4);
      damages.push(['shifted', shifted]);
    }
    for (const [damage, content] of damages) {
      const damaged = new Map(files);
      if (content === undefined) damaged.delete(name);
      else damaged.set(name, content);
      await withFiles(damaged, async (process) => {
        const options = { clean: true, recoveryPoint: values.length };
        const log = await openLog(process, {}, options);
        expect(log.endOffset, damage).toBe(values.length);
        for (let offset = 0; offset < values.length; offset++) {
          expect((await valuesOf(log, offset))[0], `${damage} ${name}`).toBe(values[offset]);
        }
        for (let index = 0; index < 8; index++) {
          const found = await log.offsetForTimestamp(1_000 + index);
          expect(found, `${damage} ${name}`).toMatchObject({ offset: 2 * index });
        }
        expect(errorsOf(process)).toEqual([]);
      });
    }
  }
});

it('does without a damaged snapshot or epoch checkpoint', async () => {
  const { files, values } = await sampleFiles(true);
  const others = [...files.keys()].filter((name) => /snapshot|checkpoint/.test(name));
  expect(others.length).toBeGreaterThan(3);
  for (const name of others) {
    for (const content of [undefined, Buffer.from('0\n7\nnonsense\n')]) {
      const damaged = new Map(files);
      if (content === undefined) damaged.delete(name);
      else damaged.set(name, content);
      await withFiles(damaged, async (process) => {
        const log = await openLog(process, {}, { clean: true, recoveryPoint: values.length });
        expect(log.latestEpoch).toBe(3);
        expect(log.offsetForLeaderEpoch(3)).toEqual({ epoch: 3, endOffset: values.length });
        const repeated = batch(['7a', '7b'], {
          producerId: 5,
          producerEpoch: 0,
          baseSequence: values.length - 2,
        });
        expect(log.append(repeated, { leaderEpoch: 3 })).toMatchObject({
          duplicate: true,
          baseOffset: values.length - 2,
        });
      });
    }
  }
});

it('keeps what it puts beside through a power cut, and loses no offsets by it', async () => {
  const { files, values } = await sampleFiles(false);
  const name = logNames(files)[1]!;
  const flipped = Buffer.from(files.get(name)!);
  flipped[100]! ^= 1;
  const damaged = replaced(files, name, flipped);
  for (let seed = 1; seed <= 8; seed++) {
    const sim = createSimSystem({ seed });
    await sim.run(async () => {
      const system = sim.process('reader');
      writeFiles(system, damaged);
      system.disk.syncDirectorySync('/data');
      system.disk.syncDirectorySync('/');
      await openLog(system);
      sim.powerLoss();
      const again = sim.process('again');
      expect(again.disk.readFileSync(join(directory, `${name}.corrupt`))).toEqual(flipped);
      const log = await openLog(again);
      expect(await valuesOf(log)).toEqual(values.slice(0, 8));
      expect(log.endOffset).toBe(values.length);
    });
  }
});

it('removes an empty segment behind a torn one', async () => {
  const { files, values } = await sampleFiles(false);
  const name = logNames(files).at(-1)!;
  const bytes = files.get(name)!;
  const torn = new Map(replaced(files, name, bytes.subarray(0, bytes.length - 3)));
  torn.set('00000000000000000016.log', Buffer.alloc(0));
  await withFiles(torn, async (process) => {
    const log = await openLog(process);
    expect(log.endOffset).toBe(values.length - 2);
    expect(process.disk.listSync(directory)).not.toContain('00000000000000000016.log');
    expect(errorsOf(process)).toEqual([]);
    log.append(batch(['again a', 'again b', 'more']), { leaderEpoch: 3 });
    process.kill();
  });
});

it('believes no snapshot of records that are gone', async () => {
  const { files, values } = await sampleFiles(false);
  const ahead = await sampleFiles(true);
  const stale = new Map(files);
  stale.set('00000000000000000018.snapshot', ahead.files.get('00000000000000000016.snapshot')!);
  const sim = createSimSystem({ seed: 1 });
  await sim.run(async () => {
    const system = sim.process('reader');
    writeFiles(system, stale);
    const log = await openLog(system);
    const producer = { producerId: 5, producerEpoch: 0 };
    for (let index = values.length; index < 20; index++) {
      log.append(batch([`${index}`], { ...producer, baseSequence: index }), { leaderEpoch: 3 });
    }
    await log.close();
    system.disk.removeSync(join(directory, '00000000000000000020.snapshot'));
    const again = await openLog(system, {}, { clean: true, recoveryPoint: 20 });
    const next = batch(['20'], { ...producer, baseSequence: 20 });
    expect(again.append(next, { leaderEpoch: 3 }).baseOffset).toBe(20);
    expect(system.disk.listSync(directory)).not.toContain('00000000000000000018.snapshot');
  });
});
