import { readInt64 } from '../int64.js';
import { type Codec, codecOf } from './codecs/index.js';
import { crc32c } from './crc32c.js';
import { RecordsError } from './errors.js';
import * as format from './format.js';

/** The header of a batch, decoded. Offsets and timestamps are int64 as `number`. */
export interface BatchHeader {
  readonly baseOffset: number;
  /** Bytes behind the length field. */
  readonly batchLength: number;
  /** Bytes of the whole batch. */
  readonly sizeBytes: number;
  readonly partitionLeaderEpoch: number;
  readonly magic: number;
  readonly crc: number;
  readonly attributes: number;
  readonly codec: Codec;
  readonly isControl: boolean;
  readonly isTransactional: boolean;
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** A batch's header and where in the bytes the batch starts. */
export interface LocatedBatch extends BatchHeader {
  readonly offset: number;
}

/**
 * Reads the header of the batch at `offset`. The records behind it may be cut off: compare
 * `offset + sizeBytes` with the length of the bytes. Throws RecordsError.
 */
export function readBatchHeader(bytes: Buffer, offset: number): BatchHeader {
  if (bytes.length - offset < format.BATCH_HEADER_BYTES) {
    throw new RecordsError('TRUNCATED', `no whole batch header at byte ${offset}`);
  }
  const magic = bytes.readInt8(offset + format.MAGIC_AT);
  if (magic !== format.MAGIC) {
    throw new RecordsError('UNSUPPORTED_MAGIC', `record batch of magic ${magic}, expected 2`);
  }
  const batchLength = bytes.readInt32BE(offset + format.BATCH_LENGTH_AT);
  if (batchLength < format.BATCH_HEADER_BYTES - format.LOG_OVERHEAD_BYTES) {
    throw new RecordsError('MALFORMED', `record batch with a length of ${batchLength}`);
  }
  const lastOffsetDelta = bytes.readInt32BE(offset + format.LAST_OFFSET_DELTA_AT);
  const recordCount = bytes.readInt32BE(offset + format.RECORD_COUNT_AT);
  if (recordCount < 0 || lastOffsetDelta < 0 || recordCount > lastOffsetDelta + 1) {
    throw new RecordsError(
      'MALFORMED',
      `record batch with ${recordCount} records and a last offset delta of ${lastOffsetDelta}`,
    );
  }
  const attributes = bytes.readInt16BE(offset + format.ATTRIBUTES_AT);
  return {
    baseOffset: readInt64(bytes, offset + format.BASE_OFFSET_AT),
    batchLength,
    sizeBytes: batchLength + format.LOG_OVERHEAD_BYTES,
    partitionLeaderEpoch: bytes.readInt32BE(offset + format.LEADER_EPOCH_AT),
    magic,
    crc: bytes.readUInt32BE(offset + format.CRC_AT),
    attributes,
    codec: codecOf(attributes & format.CODEC_MASK),
    isControl: (attributes & format.CONTROL_BIT) !== 0,
    isTransactional: (attributes & format.TRANSACTIONAL_BIT) !== 0,
    timestampType: (attributes & format.LOG_APPEND_TIME_BIT) !== 0 ? 'LogAppendTime' : 'CreateTime',
    lastOffsetDelta,
    baseTimestamp: readInt64(bytes, offset + format.BASE_TIMESTAMP_AT),
    maxTimestamp: readInt64(bytes, offset + format.MAX_TIMESTAMP_AT),
    producerId: readInt64(bytes, offset + format.PRODUCER_ID_AT),
    producerEpoch: bytes.readInt16BE(offset + format.PRODUCER_EPOCH_AT),
    baseSequence: bytes.readInt32BE(offset + format.BASE_SEQUENCE_AT),
    recordCount,
  };
}

/**
 * The batches that stand back to back in `bytes`. One that is cut off at the end is left out
 * (a Fetch response may end with one). Throws RecordsError where a header is malformed.
 */
export function* batchesOf(bytes: Buffer): Generator<LocatedBatch, void, undefined> {
  let offset = 0;
  while (bytes.length - offset >= format.BATCH_HEADER_BYTES) {
    const header = readBatchHeader(bytes, offset);
    if (header.sizeBytes > bytes.length - offset) return;
    yield Object.assign(header, { offset });
    offset += header.sizeBytes;
  }
}

/** Throws RecordsError unless the batch at `offset` is whole and its checksum fits. */
export function checkBatchBytes(bytes: Buffer, offset: number): BatchHeader {
  const header = readBatchHeader(bytes, offset);
  if (header.sizeBytes > bytes.length - offset) {
    throw new RecordsError(
      'TRUNCATED',
      `record batch of ${header.sizeBytes} bytes with ${bytes.length - offset} bytes left`,
    );
  }
  const actual = crc32c(bytes, offset + format.ATTRIBUTES_AT, offset + header.sizeBytes);
  if (actual !== header.crc) {
    throw new RecordsError(
      'CRC_MISMATCH',
      `record batch at offset ${header.baseOffset} is corrupt: checksum ${actual}, ` +
        `header says ${header.crc}`,
    );
  }
  return header;
}
