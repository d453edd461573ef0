import { type BatchHeader, readBatchHeader } from './batch-header.js';
import { decompress } from './codecs/index.js';
import { RecordsError } from './errors.js';
import { BATCH_HEADER_BYTES, MIN_RECORD_BYTES } from './format.js';
import { type ReadHeader, readHeaders } from './headers.js';
import { VarintReader } from './varint.js';

/**
 * Walks the records of one batch after another, without allocation per record: the fields
 * describe the record that `next` found. A compressed batch is decompressed once, by `open`.
 * Every length is checked against the end of the batch; what is wrong throws RecordsError.
 */
export class RecordCursor {
  /** What the positions below point into: the batch's memory, or its decompressed records. */
  bytes: Buffer = Buffer.alloc(0);
  /** The same bytes, for access by words. */
  view: DataView = viewOf(this.bytes);
  /** `bytes` were decompressed for this cursor alone, which does not look back at them. */
  isScratch = false;
  /** The record's offset in the partition. */
  offset = -1;
  /** Milliseconds since the epoch; the time of the append where the topic says so. */
  timestamp = -1;
  keyStart = 0;
  /** -1: the key is null. */
  keyEnd = -1;
  valueStart = 0;
  /** -1: the value is null. */
  valueEnd = -1;
  /** Where the first header starts, behind the count. */
  headersStart = 0;
  headerCount = 0;
  /** Header of the open batch. */
  batch: BatchHeader | undefined;

  private readonly reader = new VarintReader();
  /** Also walks the headers, which is for readers to check. */
  private readonly headerReader = new VarintReader();
  private baseOffset = 0;
  private baseTimestamp = 0;
  private lastOffsetDelta = 0;
  /** The delta of the record before; deltas must grow. */
  private previousDelta = -1;
  /** The one timestamp of a LogAppendTime batch. */
  private appendTime: number | undefined;
  private end = 0;
  private recordEnd = 0;
  private remaining = 0;

  /**
   * Starts at the batch at `offset` of `batch`, which must be whole. Its checksum is not looked
   * at: see `verifyBatch`. `maxBytes` bounds the decompressed size (TOO_LARGE).
   */
  open(batch: Buffer, offset: number, maxBytes: number): void {
    this.remaining = 0;
    const header = readBatchHeader(batch, offset);
    const end = offset + header.sizeBytes;
    if (end > batch.length) {
      throw new RecordsError('TRUNCATED', `record batch of ${header.sizeBytes} bytes is cut off`);
    }
    const start = offset + BATCH_HEADER_BYTES;
    if (header.codec === 'none') {
      this.openRecords(header, batch, start, end);
    } else {
      const records = decompress(header.codec, batch.subarray(start, end), maxBytes);
      this.openRecords(header, records, 0, records.length);
      this.isScratch = true;
    }
  }

  /** Starts at the records of a batch where they stand uncompressed: `bytes[start..end)`. */
  openRecords(header: BatchHeader, bytes: Buffer, start: number, end: number): void {
    this.remaining = 0;
    this.isScratch = false;
    this.bytes = bytes;
    this.end = end;
    if (header.recordCount > (this.end - start) / MIN_RECORD_BYTES) {
      throw new RecordsError('MALFORMED', `${header.recordCount} records do not fit their batch`);
    }
    this.view = viewOf(this.bytes);
    this.batch = header;
    this.baseOffset = header.baseOffset;
    this.baseTimestamp = header.baseTimestamp;
    this.lastOffsetDelta = header.lastOffsetDelta;
    this.appendTime = header.timestampType === 'LogAppendTime' ? header.maxTimestamp : undefined;
    this.previousDelta = -1;
    this.reader.open(this.bytes, start, this.end);
    this.recordEnd = start;
    this.remaining = header.recordCount;
  }

  /** Moves to the next record; false behind the last one. */
  next(): boolean {
    const reader = this.reader;
    if (this.remaining === 0) {
      if (this.recordEnd !== this.end) {
        throw new RecordsError('MALFORMED', 'bytes are left over behind the last record');
      }
      return false;
    }
    reader.position = this.recordEnd;
    const length = reader.varint();
    const start = reader.position;
    if (length < MIN_RECORD_BYTES - 1 || length > this.end - start) throw badLength(length);
    const end = start + length;
    reader.position = start + 1;
    const timestampDelta = reader.varlong();
    const offsetDelta = reader.varint();
    if (offsetDelta <= this.previousDelta || offsetDelta > this.lastOffsetDelta) {
      throw new RecordsError('MALFORMED', `record with an offset delta of ${offsetDelta}`);
    }
    const keyLength = reader.varint();
    this.keyStart = reader.position;
    if (keyLength < -1 || keyLength > end - this.keyStart) throw badLength(keyLength);
    this.keyEnd = keyLength < 0 ? -1 : this.keyStart + keyLength;
    if (keyLength > 0) reader.position = this.keyEnd;
    const valueLength = reader.varint();
    this.valueStart = reader.position;
    if (valueLength < -1 || valueLength > end - this.valueStart) throw badLength(valueLength);
    this.valueEnd = valueLength < 0 ? -1 : this.valueStart + valueLength;
    if (valueLength > 0) reader.position = this.valueEnd;
    const headerCount = reader.varint();
    this.headersStart = reader.position;
    // A header takes two bytes at least; without headers the record must end here.
    if (headerCount < 0 || headerCount * 2 > end - this.headersStart) throw badLength(headerCount);
    if (headerCount === 0 && this.headersStart !== end) throw badLength(length);
    this.headerCount = headerCount;
    this.previousDelta = offsetDelta;
    this.offset = this.baseOffset + offsetDelta;
    this.timestamp = this.appendTime ?? this.baseTimestamp + timestampDelta;
    this.recordEnd = end;
    this.remaining--;
    return true;
  }

  /** The key as a view into `bytes`. */
  key(): Buffer | null {
    return this.keyEnd < 0 ? null : this.bytes.subarray(this.keyStart, this.keyEnd);
  }

  /** The value as a view into `bytes`. */
  value(): Buffer | null {
    return this.valueEnd < 0 ? null : this.bytes.subarray(this.valueStart, this.valueEnd);
  }

  /** Position behind the record's last header. */
  get headersEnd(): number {
    return this.recordEnd;
  }

  /** The headers; values are views into `bytes`. */
  headers(): ReadHeader[] {
    if (this.headerCount === 0) return [];
    this.headerReader.open(this.bytes, this.headersStart, this.recordEnd);
    return readHeaders(this.bytes, this.headerReader, this.recordEnd, this.headerCount);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function badLength(length: number): RecordsError {
  return new RecordsError('MALFORMED', `a length of ${length} contradicts its record batch`);
}
