import {
  type BatchHeader,
  LONG_MAX,
  RecordsError,
  type RecordTimes,
  readBatchHeader,
  stampBatch,
  stampLogAppendTime,
  stampMaxTimestamp,
  verifyBatch,
  verifyRecords,
} from '../../protocol/records/index.js';
import { LogError } from './log-error.js';
import type { LogSettings } from './settings.js';
import { type StoredBatch, storedBatch } from './stored-batch.js';

/**
 * The most that a client's batch may decompress to, bytes, found before anything is allocated for
 * it: half of what our own readers take, and 128 times the default `max.message.bytes`.
 */
const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024;
/**
 * The same for all batches of one request, whose records a process looks at in one turn: about a
 * second and a half. Enough for thirty batches of 1 MiB that are compressed to a thirtieth.
 */
const MAX_REQUEST_DECOMPRESSED_BYTES = 1024 * 1024 * 1024;
/** Times beyond 2^53 (nanoseconds) are read as the nearest double: within this they are equal. */
const ROUNDING_MS = 4096;

/** What one request's batches may still be decompressed to, bytes; counts down, below 0 too. */
export interface DecompressionBudget {
  leftBytes: number;
}

/** What is known of an append beside its bytes. */
export interface KnownOfRequest {
  /** Whether a batch is in the log already: then nothing of it is judged. Default: none is. */
  readonly isRepeat?: (header: BatchHeader) => boolean;
  /** Default: a whole one. */
  readonly budget?: DecompressionBudget | undefined;
}

/** For one request, whose partitions share it. */
export function decompressionBudget(): DecompressionBudget {
  return { leftBytes: MAX_REQUEST_DECOMPRESSED_BYTES };
}

/**
 * Checks the batches of one append: framing, checksum, counts, sizes, and each record, for which
 * compressed ones are decompressed. Their largest time is put right in place where it is false,
 * as Kafka does: readers look records up by it, and retention deletes by it. Throws LogError.
 * @param fromLeader they were checked by the partition's leader: offsets may have gaps, records,
 *   sizes and times are its decision; checksums are looked at all the same.
 * @param isRepeat whether the batch is in the log already: what is allowed may have changed since
 */
export function checkBatches(
  bytes: Buffer,
  settings: LogSettings,
  fromLeader: boolean,
  nowMs: number,
  { isRepeat = () => false, budget = decompressionBudget() }: KnownOfRequest = {},
): BatchHeader[] {
  const headers: BatchHeader[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = checkFrame(bytes, at, fromLeader);
    // A refusal would make its producer send it in halves, beside what is in the log.
    if (!fromLeader && header.sizeBytes === bytes.length && isRepeat(header)) return [header];
    headers.push(
      fromLeader ? header : checkClientBatch(bytes, at, header, settings, nowMs, budget),
    );
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

function checkFrame(bytes: Buffer, at: number, fromLeader: boolean): BatchHeader {
  try {
    return verifyBatch(bytes, at, { contiguous: !fromLeader });
  } catch (error) {
    if (!(error instanceof RecordsError)) throw error;
    const damaged = error.code === 'TRUNCATED' || error.code === 'CRC_MISMATCH';
    throw refusal(damaged ? 'CORRUPT_MESSAGE' : 'INVALID_RECORD', error);
  }
}

/** The cheap checks come first: what they refuse is not decompressed. */
function checkClientBatch(
  bytes: Buffer,
  at: number,
  header: BatchHeader,
  settings: LogSettings,
  nowMs: number,
  budget: DecompressionBudget,
): BatchHeader {
  checkHeader(header, settings);
  const times = checkRecords(bytes, at, header, budget);
  if (settings.messageTimestampType !== 'CreateTime') return header;
  checkTimes(times, settings, nowMs);
  if (isTrue(header.maxTimestamp, times.newest)) return header;
  stampMaxTimestamp(bytes, at, times.newest);
  return readBatchHeader(bytes, at);
}

/** What a client's batch must not say, though its bytes are in order. */
function checkHeader(header: BatchHeader, settings: LogSettings): void {
  if (header.sizeBytes > settings.maxMessageBytes) {
    throw new LogError(
      'MESSAGE_TOO_LARGE',
      `a batch of ${header.sizeBytes} bytes is more than max.message.bytes ` +
        `(${settings.maxMessageBytes})`,
    );
  }
  if (header.isControl) throw invalid('control batches are the broker’s to write');
  if (header.recordCount === 0) throw invalid('a batch without a record');
  if (header.isTransactional) {
    throw new LogError(
      'INVALID_TXN_STATE',
      'a transactional batch, but there are no transactions here: send it without',
    );
  }
  if (header.producerId >= 0 && (header.producerEpoch < 0 || header.baseSequence < 0)) {
    throw invalid(`producer ${header.producerId} sent no epoch or no sequence`);
  }
  if (header.producerId > Number.MAX_SAFE_INTEGER) {
    throw invalid('a producer id beyond 2^53: ask for one with InitProducerId');
  }
  if (header.timestampType === 'LogAppendTime') {
    throw invalid('a producer must not mark its batch with LogAppendTime');
  }
}

/**
 * Looks at every record. The checksum fits, so what is wrong was sent so, and a repeat would be
 * wrong as well: never CORRUPT_MESSAGE, which clients repeat. One that decompresses to too much is
 * MESSAGE_TOO_LARGE, upon which they halve it.
 */
function checkRecords(
  bytes: Buffer,
  at: number,
  header: BatchHeader,
  budget: DecompressionBudget,
): RecordTimes {
  if (header.codec !== 'none' && budget.leftBytes <= 0) throw overBudget(at > 0);
  try {
    const times = verifyRecords(bytes, at, header, MAX_DECOMPRESSED_BYTES);
    budget.leftBytes -= times.decompressedBytes;
    return times;
  } catch (error) {
    // What it took nobody knows.
    if (header.codec !== 'none') budget.leftBytes -= MAX_DECOMPRESSED_BYTES;
    if (!(error instanceof RecordsError) || error.code === 'CODEC_NOT_LOADED') throw error;
    throw refusal(error.code === 'TOO_LARGE' ? 'MESSAGE_TOO_LARGE' : 'INVALID_RECORD', error);
  }
}

/** The same request without those before it is taken; the same append never is. */
function overBudget(byThisAppend: boolean): LogError {
  const code = byThisAppend ? 'MESSAGE_TOO_LARGE' : 'REQUEST_TIMED_OUT';
  const what = byThisAppend ? 'one append' : 'one request';
  return new LogError(code, `the batches of ${what} decompress to too much: send fewer at a time`);
}

function checkTimes({ oldest, newest }: RecordTimes, settings: LogSettings, nowMs: number): void {
  const tooNew = newest - nowMs > settings.messageTimestampAfterMaxMs || newest >= LONG_MAX;
  const tooOld = nowMs - oldest > settings.messageTimestampBeforeMaxMs;
  if (!tooNew && !(tooOld && oldest >= 0)) return;
  const timestamp = tooNew ? newest : oldest;
  const limit = tooNew ? 'after' : 'before';
  throw new LogError(
    'INVALID_TIMESTAMP',
    `a record’s time (${timestamp}) is too far ${limit} the broker’s (${nowMs}): ` +
      `see message.timestamp.${limit}.max.ms`,
  );
}

function isTrue(claimed: number, newest: number): boolean {
  if (claimed === newest) return true;
  return !Number.isSafeInteger(newest) && Math.abs(claimed - newest) <= ROUNDING_MS;
}

function refusal(code: LogError['code'], error: RecordsError): LogError {
  return new LogError(code, error.message, { cause: error });
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
