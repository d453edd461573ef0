import { crc32c } from '../protocol/records/index.js';
import { copyBytes, type ViewedBytes, viewed } from './copy-bytes.js';
import type { RecordView, RecordWalk } from './record-view.js';

/**
 * A spool is chunks; a chunk is a header and records. All numbers are little-endian.
 *
 *     chunk   magic u32, crc32c u32 (of all behind it), records u32, payload bytes u32,
 *             start f64, position f64, written at f64 (milliseconds), then the records
 *     record  span bytes u32, key bytes i32, value start u32, value bytes i32, headers start u32,
 *             header count u32, offset f64, timestamp f64, then the span
 *
 * The span is what stands in the Kafka record from its key to its end; starts are within it and
 * lengths of -1 are null. So a record is one copy, whatever it holds.
 */
const CHUNK_HEADER_BYTES = 40;
const RECORD_HEADER_BYTES = 40;
const CHUNK_MAGIC = 0x3170534c;
const CRC_FROM = 8;

/** What a chunk's header says. */
export interface ChunkHeader {
  readonly crc: number;
  readonly records: number;
  readonly payloadBytes: number;
  /** Where the spool begins. */
  readonly start: number;
  /** The next offset behind this chunk. */
  readonly position: number;
  readonly writtenAtMs: number;
}

/** What a record counts for in sizes: its value and a line end. */
export function contentBytesOf(record: RecordView): number {
  return record.valueEnd < 0 ? 1 : record.valueEnd - record.valueStart + 1;
}

/** What a record takes in a chunk. */
export function spanBytesOf({ keyStart, headersEnd }: RecordView): number {
  return RECORD_HEADER_BYTES + headersEnd - keyStart;
}

/** Puts records into a chunk; one object serves all spools of a sink, one after the other. */
export class ChunkWriter {
  records = 0;
  /** Bytes of the values and their line ends. */
  contentBytes = 0;
  #memory: ViewedBytes;
  #length = CHUNK_HEADER_BYTES;

  constructor(capacityBytes: number) {
    this.#memory = viewed(Buffer.allocUnsafe(capacityBytes));
  }

  /** False where the chunk is full. */
  tryAppend(record: RecordView): boolean {
    if (this.#length + spanBytesOf(record) > this.#memory.bytes.length) return false;
    this.append(record);
    return true;
  }

  /** Takes any record: a chunk that is full grows for it. */
  append(record: RecordView): void {
    const { keyStart, keyEnd, valueStart, valueEnd, headersStart, headersEnd } = record;
    const span = headersEnd - keyStart;
    let at = this.#length;
    const length = at + RECORD_HEADER_BYTES + span;
    if (length > this.#memory.bytes.length) this.#grow(length);
    const { view } = this.#memory;
    view.setUint32(at, span, true);
    view.setInt32(at + 4, keyEnd < 0 ? -1 : keyEnd - keyStart, true);
    view.setUint32(at + 8, valueStart - keyStart, true);
    view.setInt32(at + 12, valueEnd < 0 ? -1 : valueEnd - valueStart, true);
    view.setUint32(at + 16, headersStart - keyStart, true);
    view.setUint32(at + 20, record.headerCount, true);
    view.setFloat64(at + 24, record.offset, true);
    view.setFloat64(at + 32, record.timestamp, true);
    at += RECORD_HEADER_BYTES;
    copyBytes(record, keyStart, headersEnd, this.#memory, at);
    this.#length = at + span;
    this.records += 1;
    this.contentBytes += contentBytesOf(record);
  }

  /** The finished chunk; a view that is valid until `clear`. */
  finish(start: number, position: number, nowMs: number): Buffer {
    const { view } = this.#memory;
    view.setUint32(0, CHUNK_MAGIC, true);
    view.setUint32(8, this.records, true);
    view.setUint32(12, this.#length - CHUNK_HEADER_BYTES, true);
    view.setFloat64(16, start, true);
    view.setFloat64(24, position, true);
    view.setFloat64(32, nowMs, true);
    view.setUint32(4, crc32c(this.#memory.bytes, CRC_FROM, this.#length), true);
    return this.#memory.bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.records = 0;
    this.contentBytes = 0;
    this.#length = CHUNK_HEADER_BYTES;
  }

  #grow(bytes: number): void {
    const memory = Buffer.allocUnsafe(bytes);
    this.#memory.bytes.copy(memory, 0, 0, this.#length);
    this.#memory = viewed(memory);
  }
}

/** undefined where the bytes do not begin with a chunk's header. */
export function readChunkHeader(bytes: Buffer): ChunkHeader | undefined {
  if (bytes.length < CHUNK_HEADER_BYTES || bytes.readUInt32LE(0) !== CHUNK_MAGIC) return undefined;
  return {
    crc: bytes.readUInt32LE(4),
    records: bytes.readUInt32LE(8),
    payloadBytes: bytes.readUInt32LE(12),
    start: bytes.readDoubleLE(16),
    position: bytes.readDoubleLE(24),
    writtenAtMs: bytes.readDoubleLE(32),
  };
}

/** Whether a whole chunk is as it was written. */
export function isChunkIntact(chunk: Buffer, header: ChunkHeader): boolean {
  return crc32c(chunk, CRC_FROM, chunk.length) === header.crc;
}

/** Walks the records of a chunk, without allocation per record. */
export class ChunkCursor implements RecordWalk {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = viewed(this.bytes).view;
  readonly isScratch = false;
  offset = -1;
  timestamp = -1;
  keyStart = 0;
  keyEnd = -1;
  valueStart = 0;
  valueEnd = -1;
  headersStart = 0;
  headersEnd = 0;
  headerCount = 0;
  #next = 0;

  /** Starts at the first record of a whole, intact chunk. */
  open(chunk: Buffer): void {
    this.bytes = chunk;
    this.view = viewed(chunk).view;
    this.#next = CHUNK_HEADER_BYTES;
  }

  next(): boolean {
    const at = this.#next;
    if (at >= this.bytes.length) return false;
    const { view } = this;
    const span = at + RECORD_HEADER_BYTES;
    const keyBytes = view.getInt32(at + 4, true);
    const valueBytes = view.getInt32(at + 12, true);
    this.keyStart = span;
    this.keyEnd = keyBytes < 0 ? -1 : span + keyBytes;
    this.valueStart = span + view.getUint32(at + 8, true);
    this.valueEnd = valueBytes < 0 ? -1 : this.valueStart + valueBytes;
    this.headersStart = span + view.getUint32(at + 16, true);
    this.headerCount = view.getUint32(at + 20, true);
    this.offset = view.getFloat64(at + 24, true);
    this.timestamp = view.getFloat64(at + 32, true);
    this.headersEnd = span + view.getUint32(at, true);
    this.#next = this.headersEnd;
    return true;
  }
}
