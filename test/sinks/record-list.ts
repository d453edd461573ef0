import {
  BatchWriter,
  type Codec,
  encodeHeaders,
  type Header,
  RecordCursor,
} from '../../protocol/records/index.js';

/** A record as a test writes it down. */
export interface PlainRecord {
  readonly offset?: number;
  readonly timestamp?: number;
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
  readonly headers?: readonly Header[];
}

/** The records as one batch, offsets from `base`. */
export function batchOver(
  records: readonly PlainRecord[],
  base = 0,
  codec: Codec = 'none',
): Buffer {
  const [first, ...others] = records;
  const isSmall = others.length === 0 && (first?.value?.length ?? 0) < 512;
  const writer = new BatchWriter(isSmall ? 1024 : 8 * 1024 * 1024);
  for (const { timestamp = 0, key = null, value = null, headers = [] } of records) {
    const bytes = value ?? Buffer.alloc(0);
    const appended = writer.tryAppend(
      timestamp,
      key ?? Buffer.alloc(0),
      0,
      key === null ? -1 : key.length,
      bytes,
      0,
      value === null ? -1 : bytes.length,
      headers.length === 0 ? null : encodeHeaders(headers),
    );
    if (!appended) throw new Error('too much for one batch');
  }
  const batch = Buffer.from(
    writer.close({ codec, producerId: -1, producerEpoch: -1, baseSequence: -1 }),
  );
  batch.writeBigInt64BE(BigInt(base), 0);
  return batch;
}

/** The records as a consumer's cursor walks them: one batch, offsets from `base`. */
export function cursorOver(
  records: readonly PlainRecord[],
  base = 0,
  codec: Codec = 'none',
): RecordCursor {
  const batch = batchOver(records, base, codec);
  const cursor = new RecordCursor();
  cursor.open(batch, 0, 1e9);
  return cursor;
}
