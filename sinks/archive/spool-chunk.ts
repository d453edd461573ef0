import {
  batchesOf,
  crc32c,
  isCodecLoaded,
  type LocatedBatch,
  loadCodec,
  RecordCursor,
} from '../../protocol/records/index.js';
import type { RecordWalk } from '../record-view.js';

/**
 * A chunk of a spool is a header and Kafka's record batches, whole and as they were fetched. Of
 * their records those from `from` up to `position` belong to the chunk. All little-endian.
 *
 *     magic u32, crc32c u32 (of all behind it), records u32, payload bytes u32, content bytes f64,
 *     start f64, from f64, position f64, written at f64 (milliseconds), then the batches
 */
export const CHUNK_HEADER_BYTES = 56;
const CHUNK_MAGIC = 0x3270534c;
const CRC_FROM = 8;
/** Bound of what one compressed batch may grow to. */
const MAX_BATCH_BYTES = 256 * 1024 * 1024;

/** What a chunk's header says. */
export interface ChunkHeader {
  readonly records: number;
  /** Of the records; see `contentBytesOf`. */
  readonly contentBytes: number;
  /** Where the spool begins. */
  readonly start: number;
  /** The offset that this chunk begins with, and the next one behind it. */
  readonly from: number;
  readonly position: number;
  readonly writtenAtMs: number;
}

/** Of a chunk that was found: its size is known as well. */
interface FoundHeader extends ChunkHeader {
  readonly crc: number;
  readonly payloadBytes: number;
}

/** The header of a chunk with these batches, which follow it. */
export function encodeChunkHeader(header: ChunkHeader, batches: readonly Buffer[]): Buffer {
  const bytes = Buffer.alloc(CHUNK_HEADER_BYTES);
  bytes.writeUInt32LE(CHUNK_MAGIC, 0);
  bytes.writeUInt32LE(header.records, 8);
  bytes.writeUInt32LE(
    batches.reduce((sum, { length }) => sum + length, 0),
    12,
  );
  bytes.writeDoubleLE(header.contentBytes, 16);
  bytes.writeDoubleLE(header.start, 24);
  bytes.writeDoubleLE(header.from, 32);
  bytes.writeDoubleLE(header.position, 40);
  bytes.writeDoubleLE(header.writtenAtMs, 48);
  let crc = crc32c(bytes, CRC_FROM);
  for (const batch of batches) crc = crc32c(batch, 0, batch.length, crc);
  bytes.writeUInt32LE(crc, 4);
  return bytes;
}

/** undefined where the bytes do not begin with a chunk's header. */
export function readChunkHeader(bytes: Buffer): FoundHeader | undefined {
  if (bytes.length < CHUNK_HEADER_BYTES || bytes.readUInt32LE(0) !== CHUNK_MAGIC) return undefined;
  return {
    crc: bytes.readUInt32LE(4),
    records: bytes.readUInt32LE(8),
    payloadBytes: bytes.readUInt32LE(12),
    contentBytes: bytes.readDoubleLE(16),
    start: bytes.readDoubleLE(24),
    from: bytes.readDoubleLE(32),
    position: bytes.readDoubleLE(40),
    writtenAtMs: bytes.readDoubleLE(48),
  };
}

/** Whether a whole chunk is as it was written. */
export function isChunkIntact(chunk: Buffer, { crc }: { readonly crc: number }): boolean {
  return crc32c(chunk, CRC_FROM, chunk.length) === crc;
}

/** Walks the records of a chunk, without allocation per record. */
export class ChunkCursor extends RecordCursor implements RecordWalk {
  #payload: Buffer = Buffer.alloc(0);
  #batches: readonly LocatedBatch[] = [];
  #nextBatch = 0;
  #isOpen = false;
  #from = 0;
  #position = 0;

  /** Starts at the first record of a whole, intact chunk. */
  async openChunk(chunk: Buffer, { from, position }: ChunkHeader): Promise<void> {
    this.#payload = chunk.subarray(CHUNK_HEADER_BYTES);
    this.#batches = [...batchesOf(this.#payload)];
    for (const { codec } of this.#batches) if (!isCodecLoaded(codec)) await loadCodec(codec);
    this.#nextBatch = 0;
    // The chunk before may have ended within its last batch.
    this.#isOpen = false;
    this.#from = from;
    this.#position = position;
  }

  override next(): boolean {
    for (;;) {
      while (this.#isOpen && super.next()) {
        if (this.offset >= this.#position) return false;
        if (this.offset >= this.#from) return true;
      }
      const batch = this.#batches[this.#nextBatch];
      if (batch === undefined) return false;
      this.#nextBatch += 1;
      this.open(this.#payload, batch.offset, MAX_BATCH_BYTES);
      this.#isOpen = true;
    }
  }
}
