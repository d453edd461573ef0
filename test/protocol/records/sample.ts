import {
  BatchWriter,
  type CloseOptions,
  CODECS,
  encodeHeaders,
} from '../../../protocol/records/index.js';
import { fc } from '../../fast-check.js';

/** One record as the tests speak of it. */
export interface SampleRecord {
  timestamp: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: [string, Buffer | null][];
}

export const codecs = CODECS;

const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));
const text = fc.string({ maxLength: 300 }).map((string) => Buffer.from(string));
const nullableBytes = fc.option(fc.oneof(bytes, text));

export const recordArbitrary: fc.Arbitrary<SampleRecord> = fc.record({
  timestamp: fc.oneof(
    fc.integer({ min: 1_700_000_000_000, max: 1_800_000_000_000 }),
    fc.maxSafeNat(),
  ),
  key: nullableBytes,
  value: nullableBytes,
  headers: fc.oneof(
    fc.constant<[string, Buffer | null][]>([]),
    fc.array(fc.tuple(fc.string({ maxLength: 20 }), nullableBytes), { maxLength: 4 }),
  ),
});

export const plain: CloseOptions = {
  codec: 'none',
  producerId: -1,
  producerEpoch: -1,
  baseSequence: -1,
};

/** The batch of these records; throws where they do not fit. */
export function batchOf(records: readonly SampleRecord[], options: CloseOptions = plain): Buffer {
  const writer = new BatchWriter(1 << 20);
  for (const { timestamp, key, value, headers } of records) {
    const taken = writer.tryAppend(
      timestamp,
      key,
      0,
      key?.length ?? 0,
      value,
      0,
      value?.length ?? 0,
      headers.length === 0 ? null : encodeHeaders(headers),
    );
    if (!taken) throw new Error('the record does not fit');
  }
  return writer.close(options);
}

export function line(text: string, timestamp = 1_763_000_000_000): SampleRecord {
  return { timestamp, key: null, value: Buffer.from(text), headers: [] };
}
