import { beforeAll, describe, expect, it } from 'vitest';
import { checkBatches } from '../../../broker/log/incoming.js';
import {
  BATCH_HEADER_BYTES,
  BatchWriter,
  type Codec,
  compress,
  encodeHeaders,
  LONG_MAX,
  loadCodec,
  readInt64,
  verifyBatch,
  writeInt64,
} from '../../../protocol/records/index.js';
import { stampChecksum } from '../../../protocol/records/stamp.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { batch, codeOf, openLog, smallSettings, valuesOf } from './support.js';

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const compressors = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
const NOW = 1_790_000_000_000;
const MAX_TIMESTAMP_AT = 35;

beforeAll(() => loadCodec('zstd'));

function check(bytes: Buffer, settings = {}) {
  return checkBatches(bytes, { ...smallSettings, segmentBytes: 1 << 30, ...settings }, false, NOW);
}

const codeOfCheck = (bytes: Buffer) => codeOf(() => check(bytes));

/** The batch with its header or content changed, and the checksum that belongs to that. */
function altered(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  copy.writeInt32BE(copy.length - 12, 8);
  stampChecksum(copy, 0);
  return copy;
}

/** A batch of `codec` whose records are exactly `content`. */
function batchAround(codec: Codec, content: Buffer, records: number): Buffer {
  const head = batch(['x'], { codec, timestamp: NOW }).subarray(0, BATCH_HEADER_BYTES);
  return altered(Buffer.concat([head, content]), (bytes) => {
    bytes.writeInt32BE(records - 1, 23);
    bytes.writeInt32BE(records, 57);
  });
}

function recordsOf(timestamps: readonly number[], withHeaders = false): BatchWriter {
  const writer = new BatchWriter(1 << 20);
  const headers = withHeaders ? encodeHeaders([['h', Buffer.from('v')]]) : null;
  const value = Buffer.from('value');
  for (const timestamp of timestamps) {
    writer.tryAppend(timestamp, null, 0, 0, value, 0, value.length, headers);
  }
  return writer;
}

const plain = { producerId: -1, producerEpoch: -1, baseSequence: -1 };
const twoRecords = (codec: Codec) =>
  batch(['first', 'second'], { codec, timestamp: NOW }).subarray(BATCH_HEADER_BYTES);

describe.each(compressors)('a %s batch of a client', (codec) => {
  it('is taken as it is', () => {
    const good = batch(['first', 'second'], { codec, timestamp: NOW });
    const before = Buffer.from(good);
    expect(check(good)).toHaveLength(1);
    expect(good).toEqual(before);
  });

  it('that is no stream of its codec is refused for good', async () => {
    const garbage = Buffer.from('this was never compressed by anybody');
    expect(await codeOfCheck(batchAround(codec, garbage, 1))).toBe('INVALID_RECORD');
    const cut = twoRecords(codec).subarray(0, -3);
    expect(await codeOfCheck(batchAround(codec, cut, 2))).toBe('INVALID_RECORD');
    expect(await codeOfCheck(batchAround(codec, Buffer.alloc(0), 1))).toBe('INVALID_RECORD');
  });

  it.each([1, 3, 2 ** 31 - 1])('that claims %i records and has two is refused', async (claim) => {
    const claiming = batchAround(codec, Buffer.from(twoRecords(codec)), claim);
    expect(await codeOfCheck(claiming)).toBe('INVALID_RECORD');
  });

  it('whose offsets have a gap or go back is refused', async () => {
    const content = recordsOf([NOW, NOW, NOW]).close({ codec: 'none', ...plain });
    const records = content.subarray(BATCH_HEADER_BYTES);
    const size = records.length / 3;
    for (const delta of [0, 1, 3]) {
      const changed = Buffer.from(records);
      changed[size * 2 + 3] = delta * 2;
      const wrong = batchAround(codec, compress(codec, changed), 3);
      expect(await codeOfCheck(wrong)).toBe('INVALID_RECORD');
    }
  });

  it('that decompresses to too much is refused, and is to be halved', async () => {
    const bomb = compress(codec, Buffer.alloc(129 * 1024 * 1024));
    const bytes = batchAround(codec, bomb, 1);
    const code = await codeOf(() => check(bytes, { maxMessageBytes: 1 << 30 }));
    expect(code).toBe('MESSAGE_TOO_LARGE');
  });
});

describe.each(codecs)('the largest time of a %s batch', (codec) => {
  it.each([-1, 0, NOW - 1, NOW + 5, 4 * NOW, LONG_MAX])('is not believed: %d', (claimed) => {
    for (const withHeaders of [false, true]) {
      const writer = recordsOf([NOW - 7, NOW + 3, NOW - 9], withHeaders);
      const honest = writer.close({ codec, ...plain });
      const lying = altered(honest, (bytes) => writeInt64(bytes, MAX_TIMESTAMP_AT, claimed));
      expect(check(lying)[0]).toMatchObject({ maxTimestamp: NOW + 3, recordCount: 3 });
      expect(readInt64(lying, MAX_TIMESTAMP_AT)).toBe(NOW + 3);
      expect(verifyBatch(lying, 0).maxTimestamp).toBe(NOW + 3);
      expect(lying).toEqual(honest);
    }
  });

  it('is that of the records when those are too new or too old', async () => {
    const late = recordsOf([NOW, NOW + 10_000]).close({ codec, ...plain });
    const hidden = altered(late, (bytes) => writeInt64(bytes, MAX_TIMESTAMP_AT, NOW));
    const settings = { messageTimestampAfterMaxMs: 5000, messageTimestampBeforeMaxMs: 5000 };
    expect(await codeOf(() => check(hidden, settings))).toBe('INVALID_TIMESTAMP');
    const early = recordsOf([NOW, NOW - 10_000]).close({ codec, ...plain });
    expect(await codeOf(() => check(early, settings))).toBe('INVALID_TIMESTAMP');
    const fine = recordsOf([NOW - 4000, NOW + 4000]).close({ codec, ...plain });
    expect(check(fine, settings)).toHaveLength(1);
  });
});

it('nanoseconds stay as they were sent, as exactly as a number can be read', () => {
  const batchOfNanoseconds = altered(batch(['x'], { timestamp: NOW }), (bytes) => {
    for (const at of [27, MAX_TIMESTAMP_AT]) bytes.writeBigInt64BE(1_790_000_000_123_456_789n, at);
  });
  check(batchOfNanoseconds);
  expect(batchOfNanoseconds.readBigInt64BE(MAX_TIMESTAMP_AT)).toBe(1_790_000_000_123_456_789n);
});

it('transactions and ids beyond 2^53 are nobody’s yet', async () => {
  const ids = { producerId: 7, producerEpoch: 0, baseSequence: 0, timestamp: NOW };
  expect(await codeOfCheck(batch(['x'], { ...ids, transactional: true }))).toBe(
    'INVALID_TXN_STATE',
  );
  for (const producerId of [2 ** 53, LONG_MAX]) {
    expect(await codeOfCheck(batch(['x'], { ...ids, producerId }))).toBe('INVALID_RECORD');
  }
  expect(check(batch(['x'], { ...ids, producerId: 2 ** 53 - 1 }))).toHaveLength(1);
});

it('what is refused leaves the log as it was', async () => {
  const sim = createSimSystem({ seed: 1 });
  await sim.run(async () => {
    const log = await openLog(sim.process('broker'), { messageTimestampType: 'CreateTime' });
    log.append(batch(['kept'], { codec: 'gzip' }), { leaderEpoch: 0 });
    const claim = batchAround('gzip', Buffer.from(twoRecords('gzip')), 2 ** 31 - 1);
    expect(await codeOf(() => log.append(claim, { leaderEpoch: 0 }))).toBe('INVALID_RECORD');
    expect(log.endOffset).toBe(1);
    log.append(batch(['next'], { codec: 'zstd' }), { leaderEpoch: 0 });
    expect(await valuesOf(log)).toEqual(['kept', 'next']);
    await log.close();
  });
});

it('a repeat is known before it is judged by what is allowed now', async () => {
  const sim = createSimSystem({ seed: 1 });
  await sim.run(async () => {
    const log = await openLog(sim.process('broker'));
    const ids = { producerId: 7, producerEpoch: 0 };
    const first = () => batch(['x'.repeat(300), 'y'], { ...ids, baseSequence: 0 });
    log.append(first(), { leaderEpoch: 0 });
    const now = sim.process('broker').clock.now();
    for (const change of [
      { maxMessageBytes: 100 },
      { segmentBytes: 100 },
      { messageTimestampBeforeMaxMs: now - 2000, messageTimestampType: 'CreateTime' as const },
    ]) {
      log.configure({ ...log.settings, ...change });
      expect(log.append(first(), { leaderEpoch: 0 })).toMatchObject({ duplicate: true });
    }
    expect(log.endOffset).toBe(2);
    const next = batch(['x'.repeat(300)], { ...ids, baseSequence: 2 });
    expect(await codeOf(() => log.append(next, { leaderEpoch: 0 }))).toBe('MESSAGE_TOO_LARGE');
    await log.close();
  });
});

it('the batches of a request share what may be decompressed for it', async () => {
  const good = () => batch(['first', 'second'], { codec: 'gzip', timestamp: NOW });
  const settings = { ...smallSettings, segmentBytes: 1 << 30 };
  const budget = { leftBytes: 25 };
  const twice = Buffer.concat([good(), good(), good()]);
  const look = (bytes: Buffer) =>
    codeOf(() => checkBatches(bytes, settings, false, NOW, { budget }));
  expect(await look(good())).toBeUndefined();
  expect(budget.leftBytes).toBeLessThan(25);
  budget.leftBytes = 25;
  expect(await look(twice)).toBe('MESSAGE_TOO_LARGE');
  expect(await look(good())).toBe('REQUEST_TIMED_OUT');
});
