import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { floorSnappy, nativeSnappy } from '../../../protocol/records/codecs/snappy.js';
import { compress, decompress, loadCodec, verifyBatch } from '../../../protocol/records/index.js';
import { fc } from '../../fast-check.js';
import { batchOf, type SampleRecord } from './sample.js';

// The encoders of kafkajs and @platformatic/kafka are internal to them: taken from their files.
const require = createRequire(import.meta.url);
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch(batch: Record<string, unknown>): Promise<{ buffer: Buffer }>;
};
const KafkaJsRecord = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (
  record: Record<string, unknown>,
) => unknown;
const Long = require('kafkajs/src/utils/long.js') as { fromValue(value: number): unknown };
const platformaticRoot = new URL('../../../node_modules/@platformatic/kafka/', import.meta.url);
const { createRecordsBatch } = (await import(
  new URL('dist/protocol/records.js', platformaticRoot).href
)) as {
  createRecordsBatch(messages: object[], options: object): { buffer: Buffer };
};
const { compressionsAlgorithms } = (await import(
  new URL('dist/protocol/compression.js', platformaticRoot).href
)) as {
  compressionsAlgorithms: Record<
    string,
    { compressSync(data: Buffer): Buffer; decompressSync(data: Buffer): Buffer }
  >;
};

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
// Both peers take headers as an object or a map: names once, values never null.
// @platformatic/kafka 1.35 writes a wrong delta where timestamps lie 2^31 ms apart or more.
const peerRecords: fc.Arbitrary<SampleRecord[]> = fc.array(
  fc.record({
    timestamp: fc.integer({ min: 1_700_000_000_000, max: 1_702_000_000_000 }),
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc
      .dictionary(fc.stringMatching(/^[a-z]{1,9}$/), bytes, { maxKeys: 3 })
      .map((object) => Object.entries(object) as [string, Buffer][]),
  }),
  { minLength: 1, maxLength: 8 },
);
const identity = { producerId: 12_345_678_901, producerEpoch: 4, baseSequence: 77 };

describe('the same bytes as', () => {
  it('kafkajs', async () => {
    await fc.assert(
      fc.asyncProperty(peerRecords, async (records) => {
        const first = records[0]!.timestamp;
        const theirs = await RecordBatch({
          firstTimestamp: first,
          maxTimestamp: Math.max(...records.map(({ timestamp }) => timestamp)),
          partitionLeaderEpoch: -1,
          lastOffsetDelta: records.length - 1,
          producerId: Long.fromValue(identity.producerId),
          producerEpoch: identity.producerEpoch,
          firstSequence: identity.baseSequence,
          records: records.map(({ timestamp, key, value, headers }, offsetDelta) =>
            KafkaJsRecord({
              offsetDelta,
              timestampDelta: timestamp - first,
              key,
              value,
              headers: Object.fromEntries(headers),
            }),
          ),
        });
        expect(batchOf(records, { codec: 'none', ...identity })).toEqual(theirs.buffer);
      }),
      { numRuns: 100 },
    );
  });

  it('@platformatic/kafka', () => {
    fc.assert(
      fc.property(peerRecords, (records) => {
        const messages = records.map(({ timestamp, key, value, headers }) => ({
          topic: 't',
          partition: 0,
          timestamp: BigInt(timestamp),
          key,
          value,
          headers: new Map(headers.map(([name, bytes]) => [Buffer.from(name), bytes])),
        }));
        const theirs = createRecordsBatch(messages, {
          partitionLeaderEpoch: -1,
          producerId: BigInt(identity.producerId),
          producerEpoch: identity.producerEpoch,
          sequences: { getWithDefault: () => identity.baseSequence },
        });
        expect(batchOf(records, { codec: 'none', ...identity })).toEqual(theirs.buffer);
      }),
      { numRuns: 100 },
    );
  });
});

const contents: [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['a word', Buffer.from('word')],
  ['a repeated line', Buffer.from('a line of a log file\n'.repeat(40_000))],
  ['noise', Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 31 + (i >> 3)) & 0xff))],
];

const lines = Buffer.from('a line of a log\n'.repeat(8192));

describe.each(['gzip', 'snappy', 'lz4'] as const)('%s across implementations', (codec) => {
  const theirs = compressionsAlgorithms[codec]!;

  it.each(contents)('they read ours: %s', (_, content) => {
    const read = Buffer.from(theirs.decompressSync(compress(codec, content)));
    expect(read.equals(content)).toBe(true);
  });

  it.each(contents)('we read theirs: %s', (_, content) => {
    const written = Buffer.from(theirs.compressSync(content));
    expect(decompress(codec, written, content.length).equals(content)).toBe(true);
  });
});

describe('snappy', () => {
  it.each(contents)('is read from the stream that Java writes: %s', (_, content) => {
    const chunks: Buffer[] = [Buffer.from('82534e41505059000000000100000001', 'hex')];
    for (let at = 0; at < content.length; at += 32_768) {
      const block = compress('snappy', content.subarray(at, at + 32_768));
      const length = Buffer.alloc(4);
      length.writeInt32BE(block.length);
      chunks.push(length, block);
    }
    const read = decompress('snappy', Buffer.concat(chunks), content.length);
    expect(read.equals(content)).toBe(true);
  });

  it.runIf(nativeSnappy() !== undefined)('native and floor read each other', () => {
    const native = nativeSnappy()!;
    for (const [, content] of contents) {
      const block = content.subarray(0, 32_768);
      const back = floorSnappy().uncompress(native.compress(block));
      expect(Buffer.from(back).equals(block)).toBe(true);
      expect(Buffer.from(native.uncompress(floorSnappy().compress(block))).equals(block)).toBe(
        true,
      );
    }
  });
});

describe('lz4', () => {
  it('reads concatenated frames, linked blocks, stored blocks and skippable frames', () => {
    const { compressFrameSync } = require('lz4-napi') as typeof import('lz4-napi');
    const [, , [, text], [, noise]] = contents as [
      unknown,
      unknown,
      [string, Buffer],
      [string, Buffer],
    ];
    const skippable = Buffer.from('502a4d1803000000010203', 'hex');
    const frames = [
      compress('lz4', text),
      skippable,
      compressFrameSync(noise, { contentChecksum: true, blockChecksums: true }),
      compress('lz4', noise),
    ];
    const expected = Buffer.concat([text, noise, noise]);
    const read = decompress('lz4', Buffer.concat(frames), expected.length);
    expect(read.equals(expected)).toBe(true);
  });

  it('reads what the lz4 command writes with linked blocks (lz4 -BD -B4)', () => {
    const ff = 'ff'.repeat(256);
    const written = Buffer.from(
      `04224d1844405e1b010000ff0161206c696e65206f662061206c6f670a1000${ff}` +
        `d850206c6f670a0a0100000f1000${ff}e850206c6f670a00000000c31d3ae1`,
      'hex',
    );
    expect(decompress('lz4', written, 131_072).equals(lines)).toBe(true);
    expect(() => decompress('lz4', written, 131_071)).toThrow(/more than the 131071 bytes/);
  });
});

describe('zstd', () => {
  it('reads what the zstd command writes from a pipe: no content size, a checksum', async () => {
    await loadCodec('zstd');
    const written = Buffer.from(
      '28b52ffd0458c500008061206c696e65206f662061206c6f670a0100daff279f4b7b0026df',
      'hex',
    );
    expect(decompress('zstd', written, 131_072).equals(lines)).toBe(true);
    expect(() => decompress('zstd', written, 131_071)).toThrow(/more than the 131071 bytes/);
  });

  it('reads frames with and without a content size, one after another', async () => {
    await loadCodec('zstd');
    const sized = compress('zstd', lines);
    // A frame without content size: window of 1 KiB, one RLE block of 1000 times "a".
    const unsized = Buffer.concat([
      Buffer.from('28b52ffd0000', 'hex'),
      Buffer.from([((1000 << 3) & 0xff) | 3, (1000 >> 5) & 0xff, 0, 0x61]),
    ]);
    const read = decompress('zstd', Buffer.concat([sized, unsized]), lines.length + 1000);
    expect(read.subarray(0, lines.length).equals(lines)).toBe(true);
    expect(read.subarray(lines.length).toString()).toBe('a'.repeat(1000));
    expect(() => decompress('zstd', unsized, 999)).toThrow(/more than the 999 bytes/);
  });
});

describe('a batch that a peer compressed', () => {
  it('is verified to its last record', () => {
    const records = Array.from({ length: 50 }, (_, i) => ({
      timestamp: 1_700_000_000_000 + i,
      key: null,
      value: Buffer.from(`line ${i}`),
      headers: [],
    }));
    for (const compression of ['gzip', 'snappy', 'lz4']) {
      const messages = records.map((record) => ({
        ...record,
        timestamp: BigInt(record.timestamp),
        topic: 't',
      }));
      const batch = Buffer.from(createRecordsBatch(messages, { compression }).buffer);
      const header = verifyBatch(batch, 0, { deep: true, contiguous: true });
      expect(header.recordCount).toBe(50);
      expect(header.codec).toBe(compression);
    }
  });
});
