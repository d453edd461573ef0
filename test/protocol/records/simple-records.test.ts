import { describe, expect, it } from 'vitest';
import { BATCH_HEADER_BYTES, RecordCursor } from '../../../protocol/records/index.js';
import { areSimpleRecords } from '../../../protocol/records/simple-records.js';
import { fc } from '../../fast-check.js';
import { batchOf, line, recordArbitrary, type SampleRecord } from './sample.js';

const deltas = { oldest: 0, newest: 0 };

function isSimple(batch: Buffer, count: number): boolean {
  return areSimpleRecords(batch, BATCH_HEADER_BYTES, batch.length, count, deltas);
}

/** Beyond 2^53 the last bits are lost, here and there. */
function same(time: number, other: number): boolean {
  return time === other || (Math.abs(time) > 2 ** 52 && Math.abs(time / other - 1) < 1e-12);
}

/** What a cursor makes of the same bytes: offsets 0, 1, 2 … and no headers, or not. */
function cursorAgrees(batch: Buffer, count: number): boolean {
  const cursor = new RecordCursor();
  try {
    cursor.open(batch, 0, 1 << 20);
    const times: number[] = [];
    const base = cursor.batch?.baseTimestamp ?? 0;
    for (let index = 0; index < count; index++) {
      if (!cursor.next() || cursor.offset !== index || cursor.headerCount > 0) return false;
      times.push(cursor.timestamp);
    }
    if (cursor.next()) return false;
    return (
      same(base + deltas.oldest, Math.min(...times)) &&
      same(base + deltas.newest, Math.max(...times))
    );
  } catch {
    return false;
  }
}

const withoutHeaders = recordArbitrary.map((record) => ({ ...record, headers: [] }));

describe('simple records', () => {
  it('are those without headers, whatever their keys, values and times', () => {
    fc.assert(
      fc.property(fc.array(withoutHeaders, { minLength: 1, maxLength: 80 }), (records) => {
        const batch = batchOf(records);
        expect(isSimple(batch, records.length)).toBe(true);
        expect(cursorAgrees(batch, records.length)).toBe(true);
      }),
    );
  });

  it.each([0, 1, 62, 63, 64, 8_190, 8_191, 8_192, 70_000, 1_000_000])(
    'may have values of %i bytes',
    (bytes) => {
      const record: SampleRecord = { ...line(''), key: Buffer.alloc(bytes % 997) };
      const records = [{ ...record, value: Buffer.alloc(bytes, 0xff) }, line('behind it')];
      expect(isSimple(batchOf(records), 2)).toBe(true);
    },
  );

  it('may be many', () => {
    const records = Array.from({ length: 20_000 }, () => line('x'));
    expect(isSimple(batchOf(records), 20_000)).toBe(true);
  });

  it('are not those with headers, fewer, more, or with something behind them', () => {
    const records = [line('a'), line('b')];
    const batch = batchOf(records);
    expect(isSimple(batch, 1)).toBe(false);
    expect(isSimple(batch, 3)).toBe(false);
    expect(isSimple(Buffer.concat([batch, Buffer.from([0])]), 2)).toBe(false);
    const marked: SampleRecord = { ...line('c'), headers: [['h', null]] };
    expect(isSimple(batchOf([...records, marked]), 3)).toBe(false);
  });

  it('have no negative length and no endless time', () => {
    const batch = batchOf([line('a')]);
    const negative = Buffer.from(batch);
    negative[BATCH_HEADER_BYTES]! ^= 1;
    expect(isSimple(negative, 1)).toBe(false);
    const withTimeOf = (bytes: number): Buffer => {
      const length = [(6 + bytes) * 2, 0];
      const time = [...Array<number>(bytes - 1).fill(0x80), 0];
      const record = Buffer.from([...length, ...time, 0, 1, 2, 0x61, 0]);
      return Buffer.concat([batch.subarray(0, BATCH_HEADER_BYTES), record]);
    };
    expect(isSimple(withTimeOf(10), 1)).toBe(true);
    expect(isSimple(withTimeOf(11), 1)).toBe(false);
  });

  it('are never what a cursor would refuse, whichever bytes are changed or cut off', () => {
    let accepted = 0;
    const record = fc.oneof(withoutHeaders, recordArbitrary, fc.constant(line('x'.repeat(300))));
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 6 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(12)),
        (records, changes, cut) => {
          const whole = batchOf(records);
          const batch = Buffer.from(whole.subarray(0, Math.max(whole.length - cut, 62)));
          batch.writeInt32BE(batch.length - 12, 8);
          for (const [at, value] of changes) {
            // Mostly the first bytes of a record, where its numbers are.
            const records = batch.length - BATCH_HEADER_BYTES;
            batch[BATCH_HEADER_BYTES + (at % Math.min(records, 24))] = value;
          }
          if (!isSimple(batch, records.length)) return;
          accepted++;
          expect(cursorAgrees(batch, records.length)).toBe(true);
        },
      ),
      { numRuns: 3_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});
