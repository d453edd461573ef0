import { type BatchHeader, checkBatchBytes } from './batch-header.js';
import { decompress } from './codecs/index.js';
import { RecordsError } from './errors.js';
import { BATCH_HEADER_BYTES } from './format.js';
import { RecordCursor } from './record-cursor.js';
import { areSimpleRecords } from './simple-records.js';

/** How closely `verifyBatch` looks. */
export interface VerifyOptions {
  /** Also walk every record and header, decompressing where needed. */
  readonly deep?: boolean;
  /** Offsets without gaps, as a producer must send them; compacted logs have gaps. */
  readonly contiguous?: boolean;
  /** Bound of the decompressed size, bytes. Default 256 MiB. */
  readonly maxBytes?: number;
}

/** When the oldest and the newest record of a batch were, milliseconds; of one record, the same. */
export interface RecordTimes {
  readonly oldest: number;
  readonly newest: number;
  /** What was decompressed for the look, bytes. */
  readonly decompressedBytes: number;
}

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;

/** Checks length, checksum and counts of the batch at `offset`; throws RecordsError. */
export function verifyBatch(
  bytes: Buffer,
  offset: number,
  options: VerifyOptions = {},
): BatchHeader {
  const header = checkBatchBytes(bytes, offset);
  if (options.contiguous === true && header.recordCount !== header.lastOffsetDelta + 1) {
    throw new RecordsError(
      'MALFORMED',
      `record batch counts ${header.recordCount} records but spans ${header.lastOffsetDelta + 1}`,
    );
  }
  if (options.deep === true) {
    verifyRecords(bytes, offset, header, options.maxBytes ?? DEFAULT_MAX_BYTES);
  }
  return header;
}

/**
 * Walks every record and header of the batch at `offset`, of which `verifyBatch` gave the header;
 * a compressed one is decompressed to at most `maxBytes`. Throws RecordsError.
 */
export function verifyRecords(
  bytes: Buffer,
  offset: number,
  header: BatchHeader,
  maxBytes: number,
): RecordTimes {
  let records = bytes;
  let start = offset + BATCH_HEADER_BYTES;
  let end = offset + header.sizeBytes;
  let decompressedBytes = 0;
  if (header.codec !== 'none') {
    records = decompress(header.codec, bytes.subarray(start, end), maxBytes);
    start = 0;
    end = records.length;
    decompressedBytes = end;
  }
  const { recordCount, baseTimestamp, timestampType } = header;
  // Most batches need no closer look.
  const deltas = { oldest: 0, newest: 0 };
  if (!areSimpleRecords(records, start, end, recordCount, deltas)) {
    return { ...walk(header, records, start, end), decompressedBytes };
  }
  if (timestampType === 'LogAppendTime') {
    return { oldest: header.maxTimestamp, newest: header.maxTimestamp, decompressedBytes };
  }
  return {
    oldest: baseTimestamp + deltas.oldest,
    newest: baseTimestamp + deltas.newest,
    decompressedBytes,
  };
}

function walk(header: BatchHeader, bytes: Buffer, start: number, end: number) {
  const cursor = new RecordCursor();
  let oldest = Number.POSITIVE_INFINITY;
  let newest = Number.NEGATIVE_INFINITY;
  cursor.openRecords(header, bytes, start, end);
  while (cursor.next()) {
    if (cursor.headerCount > 0) cursor.headers();
    oldest = Math.min(oldest, cursor.timestamp);
    newest = Math.max(newest, cursor.timestamp);
  }
  return { oldest, newest };
}
