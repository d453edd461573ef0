import { describe, expect, it } from 'vitest';
import { Spool, type SpoolLimits } from '../../../sinks/archive/spool.js';
import { readRecordHeaders } from '../../../sinks/record-view.js';
import { createSimSystem, type SimProcess } from '../../../system/sim/index.js';
import { batchOver, cursorOver, type PlainRecord } from '../record-list.js';

const NO_LIMITS: SpoolLimits = { until: undefined, records: undefined, sizeBytes: Infinity };

const RECORDS: PlainRecord[] = Array.from({ length: 40 }, (_, i) => ({
  timestamp: 1000 + i,
  key: i % 3 === 0 ? null : Buffer.from(`key ${i}`),
  value: i % 5 === 0 ? null : Buffer.from('v'.repeat(i * 3)),
  headers: i % 4 === 0 ? [['name', Buffer.from('x')]] : [],
}));

function fetchOf(nextOffset: number, base = 0) {
  return { records: cursorOver(RECORDS, base), batches: [batchOver(RECORDS, base)], nextOffset };
}

function openSpool(process: SimProcess, start = 0, fresh = false): Promise<Spool> {
  return Spool.open(process, '/spool', start, fresh);
}

async function contentOf(spool: Spool): Promise<(PlainRecord & { offset: number })[]> {
  const found: (PlainRecord & { offset: number })[] = [];
  await spool.forEachChunk((records) => {
    while (records.next()) {
      const { bytes, keyStart, keyEnd, valueStart, valueEnd, offset, timestamp } = records;
      found.push({
        offset,
        timestamp,
        key: keyEnd < 0 ? null : Buffer.from(bytes.subarray(keyStart, keyEnd)),
        value: valueEnd < 0 ? null : Buffer.from(bytes.subarray(valueStart, valueEnd)),
        headers: readRecordHeaders(records).map(([name, value]) => [
          name,
          value && Buffer.from(value),
        ]),
      });
    }
  });
  return found;
}

const inSim = async (test: (process: SimProcess) => Promise<void>): Promise<void> => {
  const sim = createSimSystem({ seed: 1 });
  await sim.run(test(sim.process('owner')));
};

describe('the spool', () => {
  it('gives back what it took in, also after it was opened again', () =>
    inSim(async (process) => {
      const spool = await openSpool(process);
      expect(spool.append(fetchOf(45, 0), NO_LIMITS)).toBe('all');
      const expected = RECORDS.map((record, offset) => ({ offset, ...record }));
      expect(await contentOf(spool)).toEqual(expected);
      const { sinceMs, lastMs, ...level } = spool.level;
      expect(level).toMatchObject({ position: 45, records: 40 });
      spool.close();
      await process.clock.sleep(60_000);
      const again = await openSpool(process);
      expect(again.level).toMatchObject(level);
      // By the wall clock, which counts whole milliseconds.
      expect(Math.abs(again.level.sinceMs - sinceMs)).toBeLessThan(2);
      expect(Math.abs(again.level.lastMs - lastMs)).toBeLessThan(2);
      expect(await contentOf(again)).toEqual(expected);
    }));

  it('stops at its limits and goes on where it stopped', () =>
    inSim(async (process) => {
      const spool = await openSpool(process);
      const fetched = fetchOf(40);
      expect(spool.append(fetched, { ...NO_LIMITS, records: 10 })).toBe('full');
      expect(spool.level.position).toBe(10);
      expect(spool.append(fetched, { ...NO_LIMITS, sizeBytes: 400 })).toBe('full');
      expect(spool.level.bytes).toBeGreaterThanOrEqual(400);
      expect(spool.append(fetched, { ...NO_LIMITS, until: 30 })).toBe('until');
      expect(spool.level.position).toBe(31);
      expect((await contentOf(spool)).map(({ offset }) => offset)).toEqual(
        Array.from({ length: 31 }, (_, i) => i),
      );
    }));

  it('begins another chunk in good time, and loses nothing over it', () =>
    inSim(async (process) => {
      const value = Buffer.alloc(64 * 1024, 'v');
      const records = Array.from({ length: 80 }, () => ({ value }));
      const all = { records: cursorOver(records), batches: [batchOver(records)], nextOffset: 80 };
      const spool = await openSpool(process);
      const outcomes = [1, 2, 3].map(() => spool.append(all, NO_LIMITS));
      expect(outcomes).toEqual(['more', 'more', 'all']);
      expect(spool.level.records).toBe(80);
      expect((await contentOf(spool)).map(({ offset }) => offset)).toEqual(
        records.map((_, i) => i),
      );
    }));

  it('passes over what it has already', () =>
    inSim(async (process) => {
      const spool = await openSpool(process, 5);
      spool.append(fetchOf(40, 0), NO_LIMITS);
      spool.append(fetchOf(40, 0), NO_LIMITS);
      expect((await contentOf(spool)).map(({ offset }) => offset)[0]).toBe(5);
      expect(spool.level.records).toBe(35);
    }));

  it('keeps the intact beginning, wherever its file is torn', () =>
    inSim(async (process) => {
      const spool = await openSpool(process);
      spool.append(fetchOf(40, 0), NO_LIMITS);
      spool.close();
      const [name = ''] = process.disk.listSync('/spool');
      const whole = process.disk.readFileSync(`/spool/${name}`);
      for (let length = 0; length < whole.length; length += 101) {
        process.disk.replaceFileSync(`/spool/${name}`, whole.subarray(0, length));
        const torn = await openSpool(process);
        const found = await contentOf(torn);
        expect(found.map(({ offset }) => offset)).toEqual(found.map((_, i) => i));
        expect(torn.level.position).toBe(found.length);
        torn.close();
      }
    }));

  it('removes spools that begin elsewhere', () =>
    inSim(async (process) => {
      (await openSpool(process, 3)).close();
      const spool = await openSpool(process, 9);
      expect(process.disk.listSync('/spool')).toEqual(['00000000000000000009.spool']);
      spool.append(fetchOf(49, 9), NO_LIMITS);
      expect((await openSpool(process, 9, true)).level.records).toBe(0);
    }));
});
