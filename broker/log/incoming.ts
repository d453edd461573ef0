import {
  ATTRIBUTES_AT,
  BATCH_HEADER_BYTES,
  type BatchHeader,
  CODEC_MASK,
  RecordsError,
  stampBatch,
  stampLogAppendTime,
  verifyBatch,
} from '../../protocol/records/index.js';
import { LogError } from './log-error.js';
import type { LogSettings } from './settings.js';
import { type StoredBatch, storedBatch } from './stored-batch.js';

/**
 * Checks the batches of one append: framing, checksum, counts, sizes, times. Throws LogError.
 * @param fromLeader they were checked by the partition's leader: offsets may have gaps, sizes
 *   and times are its decision; bytes are checked all the same.
 */
export function checkBatches(
  bytes: Buffer,
  settings: LogSettings,
  fromLeader: boolean,
  nowMs: number,
): BatchHeader[] {
  const headers: BatchHeader[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = verify(bytes, at, fromLeader);
    if (!fromLeader) checkClientBatch(header, settings, nowMs);
    headers.push(header);
    at += header.sizeBytes;
  }
  if (headers.length === 0) throw new LogError('INVALID_RECORD', 'an append without a batch');
  if (bytes.length > settings.segmentBytes && !fromLeader) {
    throw new LogError(
      'RECORD_LIST_TOO_LARGE',
      `${bytes.length} bytes of batches are more than segment.bytes (${settings.segmentBytes})`,
    );
  }
  return headers;
}

function verify(bytes: Buffer, at: number, fromLeader: boolean): BatchHeader {
  const whole = bytes.length - at >= BATCH_HEADER_BYTES;
  const deep = whole && (bytes.readInt16BE(at + ATTRIBUTES_AT) & CODEC_MASK) === 0 && !fromLeader;
  try {
    return verifyBatch(bytes, at, { deep, contiguous: !fromLeader });
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error;
    const damaged = error.code === 'TRUNCATED' || error.code === 'CRC_MISMATCH';
    throw new LogError(damaged ? 'CORRUPT_MESSAGE' : 'INVALID_RECORD', error.message, {
      cause: error,
    });
  }
}

/** What a client's batch must not say, though its bytes are in order. */
function checkClientBatch(header: BatchHeader, settings: LogSettings, nowMs: number): void {
  if (header.sizeBytes > settings.maxMessageBytes) {
    throw new LogError(
      'MESSAGE_TOO_LARGE',
      `a batch of ${header.sizeBytes} bytes is more than max.message.bytes ` +
        `(${settings.maxMessageBytes})`,
    );
  }
  if (header.isControl) throw invalid('control batches are the broker’s to write');
  if (header.recordCount === 0) throw invalid('a batch without a record');
  if (header.producerId >= 0 && (header.producerEpoch < 0 || header.baseSequence < 0)) {
    throw invalid(`producer ${header.producerId} sent no epoch or no sequence`);
  }
  if (header.isTransactional && header.producerId < 0) {
    throw invalid('a transactional batch without a producer id');
  }
  if (header.timestampType === 'LogAppendTime') {
    throw invalid('a producer must not mark its batch with LogAppendTime');
  }
  if (settings.messageTimestampType === 'CreateTime') checkTimes(header, settings, nowMs);
}

function checkTimes(header: BatchHeader, settings: LogSettings, nowMs: number): void {
  const tooNew = header.maxTimestamp - nowMs > settings.messageTimestampAfterMaxMs;
  const tooOld = nowMs - header.baseTimestamp > settings.messageTimestampBeforeMaxMs;
  if (!tooNew && !(tooOld && header.baseTimestamp >= 0)) return;
  const timestamp = tooNew ? header.maxTimestamp : header.baseTimestamp;
  const limit = tooNew ? 'after' : 'before';
  throw new LogError(
    'INVALID_TIMESTAMP',
    `a record’s time (${timestamp}) is too far ${limit} the broker’s (${nowMs}): ` +
      `see message.timestamp.${limit}.max.ms`,
  );
}

function invalid(message: string): LogError {
  return new LogError('INVALID_RECORD', message);
}

/** What `stampBatches` writes into the batches. */
export interface Stamp {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  /** Milliseconds; undefined where records keep their producer's time. */
  readonly logAppendTime: number | undefined;
}

/** Gives the batches their offsets, epoch and, where asked for, time: in place. */
export function stampBatches(
  bytes: Buffer,
  headers: readonly BatchHeader[],
  { baseOffset, leaderEpoch, logAppendTime }: Stamp,
): StoredBatch[] {
  let start = 0;
  let nextOffset = baseOffset;
  return headers.map((header) => {
    stampBatch(bytes, start, nextOffset, leaderEpoch);
    if (logAppendTime !== undefined) stampLogAppendTime(bytes, start, logAppendTime);
    const batch: StoredBatch = {
      header,
      bytes,
      start,
      baseOffset: nextOffset,
      lastOffset: nextOffset + header.lastOffsetDelta,
      leaderEpoch,
      maxTimestamp: logAppendTime ?? header.maxTimestamp,
    };
    start += header.sizeBytes;
    nextOffset = batch.lastOffset + 1;
    return batch;
  });
}

/** The batches of a leader, which have their offsets; they must continue the log. */
export function leaderBatches(
  bytes: Buffer,
  headers: readonly BatchHeader[],
  nextOffset: number,
): StoredBatch[] {
  let start = 0;
  let minOffset = nextOffset;
  return headers.map((header) => {
    if (header.baseOffset < minOffset) {
      throw new LogError(
        'OFFSET_OUT_OF_RANGE',
        `a batch at offset ${header.baseOffset} does not continue the log at ${minOffset}`,
      );
    }
    const batch = storedBatch(header, bytes, start);
    start += header.sizeBytes;
    minOffset = batch.lastOffset + 1;
    return batch;
  });
}
