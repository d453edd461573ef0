import {
  BASE_OFFSET_AT,
  BATCH_HEADER_BYTES,
  type BatchHeader,
  RecordsError,
  readBatchHeader,
  verifyBatch,
} from '../../protocol/records/index.js';
import { batchSizeAt, readInt64 } from './format.js';
import type { SharedFile } from './shared-file.js';
import { type StoredBatch, storedBatch } from './stored-batch.js';

const WINDOW_BYTES = 1024 * 1024;

/** Where a scan ended, and why. */
export interface ScanEnd {
  /** Everything before is whole batches. */
  readonly position: number;
  /** What is wrong with the bytes at `position`; undefined at the end of the range. */
  readonly fault: string | undefined;
}

/** Calls back for one batch; false ends the scan behind it. */
export type OnBatch = (batch: StoredBatch, position: number) => boolean;

/** What is walked, and how closely. */
export interface ScanRange {
  /** Position of a batch. */
  readonly from: number;
  /** Behind the last byte. */
  readonly to: number;
  /** The first batch must not begin before this offset. */
  readonly minOffset: number;
  /** Compares checksums and offsets; without it headers are believed. */
  readonly verify?: boolean;
  /** Base offset of the segment that follows, where one does. */
  readonly followedBy?: number | undefined;
}

/**
 * Walks the batches of a file in order. Ends before the first one that is not whole, not valid or
 * does not follow the one before. Reads in large pieces on the threadpool; `onBatch` gets memory
 * that is its own only for the call.
 */
export async function scanBatches(
  file: SharedFile,
  range: ScanRange,
  onBatch: OnBatch,
): Promise<ScanEnd> {
  let { from: position, to, minOffset } = range;
  let wanted = WINDOW_BYTES;
  while (position < to) {
    const requested = Math.min(wanted, to - position);
    const window = await file.read(position, requested);
    // A file shorter than it should be ends the range.
    if (window.length < requested) to = position + window.length;
    wanted = WINDOW_BYTES;
    let at = 0;
    while (at < window.length) {
      const larger = bytesToReadFrom(window, at, to - position - at);
      if (larger !== undefined) {
        wanted = larger;
        break;
      }
      const header = readBatch(window, at, range.verify === true);
      if (typeof header === 'string') return { position: position + at, fault: header };
      const endPosition = position + at + header.sizeBytes;
      const follows =
        header.baseOffset === minOffset ||
        (header.baseOffset > minOffset && (await mayFollowGap(file, header, endPosition, range)));
      if (!follows) {
        const fault = `offset ${header.baseOffset} where ${minOffset} must follow`;
        return { position: position + at, fault };
      }
      minOffset = endOf(header);
      const goOn = onBatch(storedBatch(header, window, at), position + at);
      at += header.sizeBytes;
      if (!goOn) return { position: position + at, fault: undefined };
    }
    position += at;
  }
  return { position, fault: undefined };
}

/** Where a batch begins in `window` that may go on behind it: how much to read from its start. */
function bytesToReadFrom(window: Buffer, at: number, room: number): number | undefined {
  const rest = window.length - at;
  if (room <= rest) return undefined;
  if (rest < BATCH_HEADER_BYTES) return WINDOW_BYTES;
  const sizeBytes = batchSizeAt(window, at);
  return sizeBytes > rest && sizeBytes <= room ? Math.max(WINDOW_BYTES, sizeBytes) : undefined;
}

/**
 * Compaction leaves gaps, and so does a flipped bit in a base offset, which no checksum covers:
 * what follows a batch behind a real gap has higher offsets, and compaction spares the log's end.
 */
async function mayFollowGap(
  file: SharedFile,
  header: BatchHeader,
  endPosition: number,
  { to, verify, followedBy }: ScanRange,
): Promise<boolean> {
  if (verify !== true) return true;
  if (endPosition + BATCH_HEADER_BYTES > to) return (followedBy ?? -1) >= endOf(header);
  const next = await file.read(endPosition, BATCH_HEADER_BYTES);
  return next.length === BATCH_HEADER_BYTES && readInt64(next, BASE_OFFSET_AT) >= endOf(header);
}

/** Offset behind the batch. */
function endOf(header: BatchHeader): number {
  return header.baseOffset + header.lastOffsetDelta + 1;
}

/** The header of a whole, valid batch, else what is wrong with it. */
function readBatch(window: Buffer, at: number, verify: boolean): BatchHeader | string {
  try {
    const header = verify ? verifyBatch(window, at) : readBatchHeader(window, at);
    return header.sizeBytes <= window.length - at ? header : 'the batch is cut off';
  } catch (error) {
    if (error instanceof RecordsError) return error.message;
    throw error;
  }
}

/**
 * The last offset of the last valid batch that starts anywhere behind `from`, at any byte;
 * undefined where there is none. Tells corruption from a torn tail: behind a torn tail nothing
 * follows.
 */
export async function findBatchBehind(
  file: SharedFile,
  range: ScanRange,
): Promise<number | undefined> {
  let found: number | undefined;
  let position = range.from;
  while (position + BATCH_HEADER_BYTES <= range.to) {
    const window = await file.read(position, Math.min(WINDOW_BYTES, range.to - position));
    if (window.length < BATCH_HEADER_BYTES) break;
    let at = 0;
    let skip = 0;
    for (; at + BATCH_HEADER_BYTES <= window.length; at++) {
      const header = plausibleHeader(window, at, range.to - position - at);
      if (header === undefined || header.baseOffset < range.minOffset) continue;
      const batch = await file.read(position + at, header.sizeBytes);
      if (typeof readBatch(batch, 0, true) === 'string') continue;
      found = Math.max(found ?? 0, endOf(header) - 1);
      skip = header.sizeBytes;
      break;
    }
    position += at + skip;
  }
  return found;
}

/** A cheap look before a header is decoded: almost every byte is none. */
function plausibleHeader(window: Buffer, at: number, room: number): BatchHeader | undefined {
  // Base offsets stay below 2^48, so the first two bytes are 0; magic is 2.
  if (window[at] !== 0 || window[at + 1] !== 0 || window[at + 16] !== 2) return undefined;
  const sizeBytes = batchSizeAt(window, at);
  if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > room) return undefined;
  try {
    return readBatchHeader(window, at);
  } catch {
    return undefined;
  }
}
