import { beforeAll, describe, expect, it } from 'vitest';
import {
  BatchWriter,
  batchesOf,
  encodeEndTransactionMarker,
  isCodecLoaded,
  loadCodec,
  RecordCursor,
  RecordsError,
  readBatchHeader,
  readControlType,
  stampBatch,
  stampLogAppendTime,
  stampProducer,
  verifyBatch,
} from '../../../protocol/records/index.js';
import { fc } from '../../fast-check.js';
import { batchOf, codecs, line, plain, recordArbitrary, type SampleRecord } from './sample.js';

function readAll(bytes: Buffer, offset = 0): (SampleRecord & { offset: number })[] {
  const cursor = new RecordCursor();
  cursor.open(bytes, offset, 1 << 24);
  const records: (SampleRecord & { offset: number })[] = [];
  while (cursor.next()) {
    records.push({
      offset: cursor.offset,
      timestamp: cursor.timestamp,
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers().map(([name, value]) => [name, value]),
    });
  }
  return records;
}

beforeAll(async () => {
  for (const codec of codecs) await loadCodec(codec);
});

describe('a batch', () => {
  it.each(codecs)('reads back what was written, %s', (codec) => {
    expect(isCodecLoaded(codec)).toBe(true);
    fc.assert(
      fc.property(fc.array(recordArbitrary, { minLength: 1, maxLength: 12 }), (records) => {
        const batch = batchOf(records, { ...plain, codec });
        const header = verifyBatch(batch, 0, { deep: true, contiguous: true });
        expect(header.codec).toBe(codec);
        expect(header.recordCount).toBe(records.length);
        expect(header.maxTimestamp).toBe(Math.max(...records.map(({ timestamp }) => timestamp)));
        expect(readAll(batch)).toEqual(records.map((record, offset) => ({ ...record, offset })));
      }),
      { numRuns: 60 },
    );
  });

  it('carries the fields of its header', () => {
    const batch = batchOf([line('a', 1000), line('b', 900), line('c', 1500)], {
      codec: 'none',
      producerId: 2 ** 40 + 7,
      producerEpoch: 3,
      baseSequence: 99,
      transactional: true,
    });
    expect(readBatchHeader(batch, 0)).toMatchObject({
      baseOffset: 0,
      sizeBytes: batch.length,
      magic: 2,
      isTransactional: true,
      isControl: false,
      timestampType: 'CreateTime',
      lastOffsetDelta: 2,
      baseTimestamp: 1000,
      maxTimestamp: 1500,
      producerId: 2 ** 40 + 7,
      producerEpoch: 3,
      baseSequence: 99,
      recordCount: 3,
    });
  });

  it('is stamped in place: offset and epoch without a new checksum', () => {
    const batch = batchOf([line('a'), line('b')]);
    stampBatch(batch, 0, 2 ** 35 + 5, 12);
    const header = verifyBatch(batch, 0);
    expect(header.baseOffset).toBe(2 ** 35 + 5);
    expect(header.partitionLeaderEpoch).toBe(12);
    expect(readAll(batch).map(({ offset }) => offset)).toEqual([2 ** 35 + 5, 2 ** 35 + 6]);
  });

  it('is stamped in place: the time of the append, and another producer', () => {
    const batch = batchOf([line('a', 5), line('b', 6)]);
    stampLogAppendTime(batch, 0, 777);
    stampProducer(batch, 0, { producerId: 4, producerEpoch: 1, baseSequence: 10 });
    expect(verifyBatch(batch, 0)).toMatchObject({
      timestampType: 'LogAppendTime',
      maxTimestamp: 777,
      producerId: 4,
      producerEpoch: 1,
      baseSequence: 10,
    });
    expect(readAll(batch).map(({ timestamp }) => timestamp)).toEqual([777, 777]);
  });

  it('may be a control batch', () => {
    const marker = encodeEndTransactionMarker({
      type: 'commit',
      timestamp: 1,
      producerId: 9,
      producerEpoch: 2,
      coordinatorEpoch: 5,
    });
    expect(verifyBatch(marker, 0, { deep: true })).toMatchObject({
      isControl: true,
      isTransactional: true,
      producerId: 9,
    });
    const [record] = readAll(marker);
    expect(readControlType(record!.key)).toBe('commit');
    expect(record!.value!.readInt32BE(2)).toBe(5);
    expect(() => readControlType(Buffer.alloc(3))).toThrow(RecordsError);
  });
});

describe('BatchWriter', () => {
  const value = Buffer.from('x'.repeat(100));

  it('refuses what no longer fits and stays as it was', () => {
    const writer = new BatchWriter(300);
    const append = () => writer.tryAppend(1, null, 0, 0, value, 0, value.length, null);
    expect([append(), append(), append()]).toEqual([true, true, false]);
    expect(writer.recordCount).toBe(2);
    const batch = writer.close(plain);
    expect(batch.length).toBe(writer.sizeBytes);
    expect(readAll(batch)).toHaveLength(2);
  });

  it('hands its memory over and takes memory back', () => {
    const writer = new BatchWriter(300);
    writer.tryAppend(1, null, 0, 0, value, 0, 50, null);
    const first = writer.close(plain);
    writer.reset();
    writer.tryAppend(1, null, 0, 0, value, 0, 60, null);
    const second = writer.close(plain);
    expect(second.buffer).not.toBe(first.buffer);
    expect(readAll(first)[0]!.value).toHaveLength(50);
    writer.reset(first);
    writer.tryAppend(1, null, 0, 0, value, 0, 70, null);
    const third = writer.close(plain);
    expect(third.buffer).toBe(first.buffer);
    expect(readAll(third)[0]!.value).toHaveLength(70);
    expect(readAll(second)[0]!.value).toHaveLength(60);
  });

  it('keeps its memory where the batch is compressed', () => {
    const writer = new BatchWriter(300);
    writer.tryAppend(1, null, 0, 0, value, 0, 100, null);
    const first = writer.close({ ...plain, codec: 'lz4' });
    writer.reset();
    writer.tryAppend(1, null, 0, 0, Buffer.from('other'), 0, 5, null);
    const second = writer.close({ ...plain, codec: 'lz4' });
    expect(readAll(first)[0]!.value).toEqual(value);
    expect(readAll(second)[0]!.value!.toString()).toBe('other');
  });

  it('copies pieces of every length at every position of one source', () => {
    const source = Buffer.from(Array.from({ length: 700 }, (_, i) => (i * 31) & 0xff));
    const writer = new BatchWriter(1 << 20);
    const expected: Buffer[] = [];
    for (let length = 0; length < 300; length++) {
      const start = (length * 7) % 390;
      expected.push(source.subarray(start, start + length));
      writer.tryAppend(1, null, 0, 0, source, start, start + length, null);
    }
    expect(readAll(writer.close(plain)).map((record) => record.value)).toEqual(expected);
  });
});

describe('batchesOf', () => {
  it('walks batches back to back and leaves out one that is cut off', () => {
    const bytes = Buffer.concat([
      batchOf([line('a')]),
      batchOf([line('b'), line('c')]),
      batchOf([line('d')]).subarray(0, 66),
    ]);
    expect([...batchesOf(bytes)].map(({ recordCount }) => recordCount)).toEqual([1, 2]);
    expect([...batchesOf(bytes)][1]!.offset).toBe(batchOf([line('a')]).length);
  });
});
