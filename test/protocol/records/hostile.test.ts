import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Codec,
  compress,
  decompress,
  loadCodec,
  RecordCursor,
  RecordsError,
  readBatchHeader,
  stampBatch,
  stampProducer,
  verifyBatch,
} from '../../../protocol/records/index.js';
import { fc } from '../../fast-check.js';
import { batchOf, codecs, line, plain, type SampleRecord } from './sample.js';

const MAX_BYTES = 1 << 20;
const records: SampleRecord[] = [
  line('the first line of a file, the first line of a file'),
  { timestamp: 1, key: Buffer.from('key'), value: null, headers: [['h', Buffer.from('v')]] },
  { timestamp: 2 ** 40, key: null, value: Buffer.alloc(200, 7), headers: [['', null]] },
];

/** Opens and walks a batch whatever it holds; only a RecordsError may come out. */
function walk(bytes: Buffer): string {
  try {
    const cursor = new RecordCursor();
    cursor.open(bytes, 0, MAX_BYTES);
    let steps = 0;
    while (cursor.next()) {
      cursor.key();
      cursor.value();
      cursor.headers();
      if (++steps > bytes.length + MAX_BYTES) throw new Error('it does not end');
    }
    return 'walked';
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error;
    return error.code;
  }
}

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'done';
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error;
    return error.code;
  }
}

beforeAll(async () => {
  for (const codec of codecs) await loadCodec(codec);
});

describe.each(codecs)('hostile bytes, %s', (codec) => {
  const make = () => batchOf(records, { ...plain, codec });

  it('gives an error for a batch cut anywhere', () => {
    const batch = make();
    for (let length = 0; length < batch.length; length++) {
      expect(codeOf(() => verifyBatch(batch.subarray(0, length), 0))).toBe('TRUNCATED');
      expect(walk(batch.subarray(0, length))).toBe('TRUNCATED');
    }
  });

  it('notices every flipped bit behind the checksum', () => {
    const batch = make();
    for (let bit = 21 * 8; bit < batch.length * 8; bit++) {
      const flipped = Buffer.from(batch);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(codeOf(() => verifyBatch(flipped, 0))).toMatch(
        /CRC_MISMATCH|MALFORMED|UNSUPPORTED_CODEC/,
      );
    }
  });

  it('walks or refuses whatever is flipped, without a look at the checksum', () => {
    const batch = make();
    for (let bit = 0; bit < batch.length * 8; bit++) {
      const flipped = Buffer.from(batch);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      walk(flipped);
    }
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(batch.length - 1), fc.nat(255)), { minLength: 2, maxLength: 6 }),
        (changes) => {
          const changed = Buffer.from(batch);
          for (const [at, byte] of changes) changed[at] = byte;
          walk(changed);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('gives an error for a compressed part cut anywhere', () => {
    const batch = make();
    for (let length = 61; length < batch.length; length++) {
      const cut = Buffer.from(batch.subarray(0, length));
      cut.writeInt32BE(length - 12, 8);
      expect(walk(cut)).toMatch(/TRUNCATED|MALFORMED/);
    }
  });

  it('takes any bytes for records', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => {
        const batch = Buffer.concat([make().subarray(0, 61), garbage]);
        batch.writeInt32BE(batch.length - 12, 8);
        walk(batch);
      }),
      { numRuns: 500 },
    );
  });
});

describe('limits', () => {
  const bombs: [Codec, number][] = [
    ['gzip', 64 << 20],
    ['snappy', 8 << 20],
    ['lz4', 64 << 20],
    ['zstd', 64 << 20],
  ];

  it.each(bombs)('refuses a %s bomb before it goes off', (codec, size) => {
    const bomb = compress(codec, Buffer.alloc(size));
    expect(bomb.length).toBeLessThan(size / 20);
    expect(codeOf(() => decompress(codec, bomb, size - 1))).toBe('TOO_LARGE');
    expect(codeOf(() => decompress(codec, bomb, 0))).toBe('TOO_LARGE');
    const before = process.memoryUsage();
    expect(codeOf(() => decompress(codec, bomb, 1 << 20))).toBe('TOO_LARGE');
    const after = process.memoryUsage();
    expect(after.external + after.arrayBuffers).toBeLessThan(
      before.external + before.arrayBuffers + (8 << 20),
    );
    expect(decompress(codec, bomb, size).length).toBe(size);
  });

  it('refuses a raw snappy block that claims more than it has', () => {
    const claims4GiB = Buffer.from('ffffffff0f00', 'hex');
    expect(codeOf(() => decompress('snappy', claims4GiB, 2 ** 33))).toBe('TRUNCATED');
    // A literal whose 32-bit length is negative for snappyjs, which then never ends.
    const neverEnds = Buffer.from('05fcfaffffff0000000000', 'hex');
    expect(codeOf(() => decompress('snappy', neverEnds, 2 ** 33))).toBe('TRUNCATED');
  });

  it('refuses counts and sizes that contradict each other', () => {
    const batch = batchOf(records);
    const counted = Buffer.from(batch);
    counted.writeInt32BE(2 ** 31 - 1, 57);
    expect(walk(counted)).toBe('MALFORMED');
    counted.writeInt32BE(2 ** 31 - 1, 23);
    expect(walk(counted)).toBe('MALFORMED');
    const fewer = Buffer.from(batch);
    fewer.writeInt32BE(2, 57);
    expect(walk(fewer)).toBe('MALFORMED');
    stampProducer(fewer, 0, { producerId: 1, producerEpoch: 1, baseSequence: 1 });
    expect(codeOf(() => verifyBatch(fewer, 0))).toBe('done');
    expect(codeOf(() => verifyBatch(fewer, 0, { contiguous: true }))).toBe('MALFORMED');
    expect(codeOf(() => verifyBatch(fewer, 0, { deep: true }))).toBe('MALFORMED');
  });

  it('names what it cannot read', () => {
    const old = batchOf(records);
    old[16] = 1;
    expect(codeOf(() => readBatchHeader(old, 0))).toBe('UNSUPPORTED_MAGIC');
    const unknown = batchOf(records);
    unknown[22] = 5;
    expect(codeOf(() => readBatchHeader(unknown, 0))).toBe('UNSUPPORTED_CODEC');
    const stamped = batchOf(records);
    stampBatch(stamped, 0, 42, 0);
    stamped[70]! ^= 1;
    expect(() => verifyBatch(stamped, 0)).toThrow(/offset 42 is corrupt/);
  });
});
