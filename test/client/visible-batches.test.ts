import { describe, expect, it } from 'vitest';
import { inspectRecords } from '../../client/consumer/visible-batches.js';
import { encodeEndTransactionMarker, stampBatch } from '../../protocol/records/index.js';
import { batchOf } from './on-broker.js';

/** A log: batches back to back, with offsets. */
function logOf(batches: readonly Buffer[], firstOffset = 0): Buffer {
  let offset = firstOffset;
  return Buffer.concat(
    batches.map((batch) => {
      const stamped = Buffer.from(batch);
      stampBatch(stamped, 0, offset, 0);
      offset += stamped.readInt32BE(23) + 1;
      return stamped;
    }),
  );
}

const plain = batchOf(['a', 'b']);
const of = (producerId: number) => batchOf(['x', 'y'], { producerId, transactional: true });
const marker = (producerId: number, type: 'abort' | 'commit') =>
  encodeEndTransactionMarker({
    type,
    timestamp: 1,
    producerId,
    producerEpoch: 0,
    coordinatorEpoch: 0,
  });
const inspect = (
  records: Buffer,
  aborted: { producerId: number; firstOffset: number }[] | null = null,
  fetchOffset = 0,
) => inspectRecords(records, { fetchOffset, aborted, checkCrcs: true });
/** Base offsets of what is visible. */
const visible = (
  records: Buffer,
  ...rest: Parameters<typeof inspect> extends [Buffer, ...infer R] ? R : never
) => inspect(records, ...rest).starts.map((start) => Number(records.readBigInt64BE(start)));

describe('visible batches', () => {
  it('leaves out a batch that is cut off, and starts at the wanted one', () => {
    const log = logOf([plain, plain, plain]);
    expect(visible(log)).toEqual([0, 2, 4]);
    expect(visible(log.subarray(0, log.length - 1))).toEqual([0, 2]);
    expect(inspect(log.subarray(0, log.length - 1)).nextOffset).toBe(4);
    expect(visible(log, null, 3)).toEqual([2, 4]);
    expect(inspect(log.subarray(0, 10))).toMatchObject({ starts: [], nextOffset: 0 });
  });

  it('hides control batches, but goes on behind them', () => {
    const log = logOf([of(7), marker(7, 'commit')]);
    expect(visible(log)).toEqual([0]);
    expect(inspect(log).nextOffset).toBe(3);
  });

  it('hides aborted transactions, and only those', () => {
    const log = logOf([of(7), of(8), plain, marker(7, 'abort'), of(7), marker(8, 'commit')]);
    const aborted = [{ producerId: 7, firstOffset: 0 }];
    expect(visible(log, aborted)).toEqual([2, 4, 7]);
    expect(visible(log, null)).toEqual([0, 2, 4, 7]);
  });

  it('knows several aborted transactions of one producer', () => {
    const log = logOf([
      of(7),
      marker(7, 'abort'),
      of(7),
      marker(7, 'commit'),
      of(7),
      marker(7, 'abort'),
    ]);
    const aborted = [
      { producerId: 7, firstOffset: 6 },
      { producerId: 7, firstOffset: 0 },
    ];
    expect(visible(log, aborted)).toEqual([3]);
  });

  it('hides one whose beginning was fetched before', () => {
    const log = logOf([of(7), marker(7, 'abort'), plain], 100);
    expect(visible(log, [{ producerId: 7, firstOffset: 50 }], 100)).toEqual([103]);
  });

  it('finds a flipped bit, unless it is told not to look', () => {
    const log = logOf([plain]);
    log[log.length - 1]! ^= 1;
    expect(() => inspect(log)).toThrow(/corrupt/);
    const unchecked = inspectRecords(log, { fetchOffset: 0, aborted: null, checkCrcs: false });
    expect(unchecked.starts).toEqual([0]);
  });
});
