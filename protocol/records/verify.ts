import { type BatchHeader, checkBatchBytes } from './batch-header.js';
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
  if (options.deep === true && !isPlainAndSimple(bytes, offset, header)) {
    const cursor = new RecordCursor();
    cursor.open(bytes, offset, options.maxBytes ?? DEFAULT_MAX_BYTES);
    while (cursor.next()) if (cursor.headerCount > 0) cursor.headers();
  }
  return header;
}

/** Whether the batch needs no closer look. */
function isPlainAndSimple(bytes: Buffer, offset: number, header: BatchHeader): boolean {
  const start = offset + BATCH_HEADER_BYTES;
  return (
    header.codec === 'none' &&
    areSimpleRecords(bytes, start, offset + header.sizeBytes, header.recordCount)
  );
}
