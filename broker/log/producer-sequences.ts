import { crc32c } from '../../protocol/records/index.js';
import { readInt64, writeInt64 } from './format.js';
import { LogError } from './log-error.js';
import type { BatchMetadata, ProducerEntry } from './producers.js';

const VERSION = 0;
const CRC_AT = 2;
/** The checksum covers everything from here. */
const COUNT_AT = 6;
const ENTRIES_AT = 10;
/** int64 producer id, int16 epoch, int16 number of batches. */
const PRODUCER_BYTES = 12;
/** int32 first and last sequence, int64 last offset, int32 offset delta, int64 timestamp. */
const BATCH_BYTES = 28;

/** The remembered batches of one producer, oldest first. */
export interface ProducerSequences {
  readonly producerId: number;
  readonly epoch: number;
  readonly batches: readonly BatchMetadata[];
}

/** The producers with more than one remembered batch; see docs/formats/log-directory.md. */
export function encodeSequences(entries: readonly ProducerEntry[]): Buffer {
  const batchCount = entries.reduce((sum, { batches }) => sum + batches.length, 0);
  const size = ENTRIES_AT + entries.length * PRODUCER_BYTES + batchCount * BATCH_BYTES;
  const bytes = Buffer.alloc(size);
  bytes.writeInt16BE(VERSION, 0);
  bytes.writeInt32BE(entries.length, COUNT_AT);
  let at = ENTRIES_AT;
  for (const { producerId, epoch, batches } of entries) {
    writeInt64(bytes, producerId, at);
    bytes.writeInt16BE(epoch, at + 8);
    bytes.writeInt16BE(batches.length, at + 10);
    at += PRODUCER_BYTES;
    for (const batch of batches) {
      bytes.writeInt32BE(batch.firstSequence, at);
      bytes.writeInt32BE(batch.lastSequence, at + 4);
      writeInt64(bytes, batch.lastOffset, at + 8);
      bytes.writeInt32BE(batch.offsetDelta, at + 16);
      writeInt64(bytes, batch.timestamp, at + 20);
      at += BATCH_BYTES;
    }
  }
  bytes.writeUInt32BE(crc32c(bytes, COUNT_AT, bytes.length), CRC_AT);
  return bytes;
}

/** The way back. Throws LogError INVALID_LOG_DIRECTORY where the file is damaged. */
export function decodeSequences(bytes: Buffer): ProducerSequences[] {
  const whole =
    bytes.length >= ENTRIES_AT &&
    bytes.readInt16BE(0) === VERSION &&
    bytes.readUInt32BE(CRC_AT) === crc32c(bytes, COUNT_AT, bytes.length);
  if (!whole) throw new LogError('INVALID_LOG_DIRECTORY', 'its version or checksum is wrong');
  const producers: ProducerSequences[] = [];
  for (let at = ENTRIES_AT; at < bytes.length; ) {
    const batches: BatchMetadata[] = [];
    const end = at + PRODUCER_BYTES + bytes.readInt16BE(at + 10) * BATCH_BYTES;
    for (let one = at + PRODUCER_BYTES; one < end; one += BATCH_BYTES) {
      batches.push({
        firstSequence: bytes.readInt32BE(one),
        lastSequence: bytes.readInt32BE(one + 4),
        lastOffset: readInt64(bytes, one + 8),
        offsetDelta: bytes.readInt32BE(one + 16),
        timestamp: readInt64(bytes, one + 20),
      });
    }
    producers.push({ producerId: readInt64(bytes, at), epoch: bytes.readInt16BE(at + 8), batches });
    at = end;
  }
  return producers;
}
