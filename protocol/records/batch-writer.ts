import { writeInt64 } from '../int64.js';
import { ByteCopier } from './byte-copier.js';
import { type Codec, codecId, compress } from './codecs/index.js';
import * as format from './format.js';
import { stampChecksum } from './stamp.js';
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint.js';

/** How a batch is finished. */
export interface CloseOptions {
  readonly codec: Codec;
  /** The codec's own scale; its default where absent. */
  readonly level?: number;
  /** -1 with -1 and -1: not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
}

/**
 * Memory that writers took whole: only that may be written to again. A batch of another's, a slice
 * of Node's pool say, can lie in memory of just the same size.
 */
const ownMemory = new WeakSet<ArrayBufferLike>();

/**
 * Builds one batch after another straight into preallocated memory; nothing is allocated per
 * record. Offsets are 0, 1, 2 …: the broker gives the real ones.
 */
export class BatchWriter {
  private buffer: Buffer | undefined;
  /** Spans `buffer` while there is one. */
  private view: DataView = new DataView(new ArrayBuffer(0));
  private readonly keys = new ByteCopier();
  private readonly values = new ByteCopier();
  private readonly headers = new ByteCopier();
  private position = format.BATCH_HEADER_BYTES;
  private count = 0;
  private baseTimestamp = 0;
  private maxTimestamp = 0;

  /** @param capacityBytes largest batch, uncompressed, with its header. */
  constructor(readonly capacityBytes: number) {}

  get recordCount(): number {
    return this.count;
  }

  /** Bytes of the batch so far, uncompressed, with its header. */
  get sizeBytes(): number {
    return this.position;
  }

  /**
   * Starts an empty batch. `recycled` is an uncompressed batch that a writer of the same capacity
   * handed over and nobody reads any more: its memory is written to again.
   */
  reset(recycled?: Buffer): void {
    const isOwn = recycled !== undefined && ownMemory.has(recycled.buffer);
    if (isOwn && recycled.buffer.byteLength === this.capacityBytes) {
      this.use(Buffer.from(recycled.buffer, 0, this.capacityBytes));
    }
    this.position = format.BATCH_HEADER_BYTES;
    this.count = 0;
  }

  /**
   * Copies one record in; false, and nothing changed, where it does not fit any more.
   * `timestamp` is in milliseconds, `headers` comes from `encodeHeaders`.
   */
  tryAppend(
    timestamp: number,
    key: Buffer | null,
    keyStart: number,
    keyEnd: number,
    value: Buffer | null,
    valueStart: number,
    valueEnd: number,
    headers: Buffer | null,
  ): boolean {
    const count = this.count;
    const timestampDelta = count === 0 ? 0 : timestamp - this.baseTimestamp;
    const keyLength = key === null ? -1 : keyEnd - keyStart;
    const valueLength = value === null ? -1 : valueEnd - valueStart;
    const bodyBytes =
      1 +
      sizeOfVarlong(timestampDelta) +
      sizeOfVarint(count) +
      sizeOfVarint(keyLength) +
      Math.max(keyLength, 0) +
      sizeOfVarint(valueLength) +
      Math.max(valueLength, 0) +
      (headers === null ? 1 : headers.length);
    let at = this.position;
    if (at + sizeOfVarint(bodyBytes) + bodyBytes > this.capacityBytes) return false;

    const target = this.memory();
    const view = this.view;
    at = writeVarint(target, at, bodyBytes);
    target[at++] = 0;
    at = writeVarlong(target, at, timestampDelta);
    at = writeVarint(target, at, count);
    at = writeVarint(target, at, keyLength);
    if (key !== null) at = this.keys.copy(target, view, at, key, keyStart, keyEnd);
    at = writeVarint(target, at, valueLength);
    if (value !== null) at = this.values.copy(target, view, at, value, valueStart, valueEnd);
    if (headers === null) target[at++] = 0;
    else at = this.headers.copy(target, view, at, headers, 0, headers.length);

    if (count === 0) {
      this.baseTimestamp = timestamp;
      this.maxTimestamp = timestamp;
    } else if (timestamp > this.maxTimestamp) {
      this.maxTimestamp = timestamp;
    }
    this.position = at;
    this.count = count + 1;
    return true;
  }

  /**
   * The finished batch; `reset` starts the next one. The memory is the caller's to keep. A
   * compressed batch is a fresh buffer; an uncompressed one is this writer's own memory, which
   * it lets go of: hand it back to `reset` to save an allocation once nobody reads it.
   */
  close(options: CloseOptions): Buffer {
    const memory = this.memory();
    let batch = memory.subarray(0, this.position);
    if (options.codec === 'none') {
      this.buffer = undefined;
    } else {
      const records = memory.subarray(format.BATCH_HEADER_BYTES, this.position);
      const compressed = compress(options.codec, records, options.level);
      batch = Buffer.allocUnsafeSlow(format.BATCH_HEADER_BYTES + compressed.length);
      batch.set(compressed, format.BATCH_HEADER_BYTES);
    }
    this.writeHeader(batch, options);
    // Idle writers must not keep a source's memory alive.
    this.keys.release();
    this.values.release();
    this.headers.release();
    return batch;
  }

  private writeHeader(batch: Buffer, options: CloseOptions): void {
    const attributes =
      codecId(options.codec) |
      (options.transactional === true ? format.TRANSACTIONAL_BIT : 0) |
      (options.control === true ? format.CONTROL_BIT : 0);
    writeInt64(batch, format.BASE_OFFSET_AT, 0);
    batch.writeInt32BE(batch.length - format.LOG_OVERHEAD_BYTES, format.BATCH_LENGTH_AT);
    batch.writeInt32BE(format.NO_LEADER_EPOCH, format.LEADER_EPOCH_AT);
    batch.writeInt8(format.MAGIC, format.MAGIC_AT);
    batch.writeInt16BE(attributes, format.ATTRIBUTES_AT);
    batch.writeInt32BE(this.count - 1, format.LAST_OFFSET_DELTA_AT);
    writeInt64(batch, format.BASE_TIMESTAMP_AT, this.baseTimestamp);
    writeInt64(batch, format.MAX_TIMESTAMP_AT, this.maxTimestamp);
    writeInt64(batch, format.PRODUCER_ID_AT, options.producerId);
    batch.writeInt16BE(options.producerEpoch, format.PRODUCER_EPOCH_AT);
    batch.writeInt32BE(options.baseSequence, format.BASE_SEQUENCE_AT);
    batch.writeInt32BE(this.count, format.RECORD_COUNT_AT);
    stampChecksum(batch, 0);
  }

  private memory(): Buffer {
    if (this.buffer !== undefined) return this.buffer;
    const memory = Buffer.allocUnsafeSlow(this.capacityBytes);
    ownMemory.add(memory.buffer);
    return this.use(memory);
  }

  private use(memory: Buffer): Buffer {
    this.buffer = memory;
    this.view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    return memory;
  }
}
