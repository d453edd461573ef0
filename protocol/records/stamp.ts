import { writeInt64 } from '../int64.js';
import { crc32c } from './crc32c.js';
import * as format from './format.js';

/**
 * Writes the offset and the leader's epoch into a batch, in place. Both lie before the
 * checksummed part, so the checksum stays.
 */
export function stampBatch(
  bytes: Buffer,
  offset: number,
  baseOffset: number,
  leaderEpoch: number,
): void {
  writeInt64(bytes, offset + format.BASE_OFFSET_AT, baseOffset);
  bytes.writeInt32BE(leaderEpoch, offset + format.LEADER_EPOCH_AT);
}

/** Marks a batch with the time of its append (milliseconds), in place; renews the checksum. */
export function stampLogAppendTime(bytes: Buffer, offset: number, timestamp: number): void {
  const attributes = bytes.readInt16BE(offset + format.ATTRIBUTES_AT);
  bytes.writeInt16BE(attributes | format.LOG_APPEND_TIME_BIT, offset + format.ATTRIBUTES_AT);
  writeInt64(bytes, offset + format.MAX_TIMESTAMP_AT, timestamp);
  stampChecksum(bytes, offset);
}

/** Writes the time of its newest record (milliseconds) into a batch; renews the checksum. */
export function stampMaxTimestamp(bytes: Buffer, offset: number, timestamp: number): void {
  writeInt64(bytes, offset + format.MAX_TIMESTAMP_AT, timestamp);
  stampChecksum(bytes, offset);
}

/** Gives a batch another producer id, epoch and sequence, in place; renews the checksum. */
export function stampProducer(
  bytes: Buffer,
  offset: number,
  producer: { producerId: number; producerEpoch: number; baseSequence: number },
): void {
  writeInt64(bytes, offset + format.PRODUCER_ID_AT, producer.producerId);
  bytes.writeInt16BE(producer.producerEpoch, offset + format.PRODUCER_EPOCH_AT);
  bytes.writeInt32BE(producer.baseSequence, offset + format.BASE_SEQUENCE_AT);
  stampChecksum(bytes, offset);
}

/** Renews the checksum of the whole batch at `offset`. */
export function stampChecksum(bytes: Buffer, offset: number): void {
  const end =
    offset + format.LOG_OVERHEAD_BYTES + bytes.readInt32BE(offset + format.BATCH_LENGTH_AT);
  bytes.writeUInt32BE(crc32c(bytes, offset + format.ATTRIBUTES_AT, end), offset + format.CRC_AT);
}
