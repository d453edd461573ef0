import {
  BATCH_HEADER_BYTES,
  type BatchHeader,
  RecordsError,
  readBatchHeader,
  verifyBatch,
} from '../../protocol/records/index.js';
import { batchSizeAt } from './format.js';
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

/**
 * Walks the batches of a file from `from` (where one must start) up to `to`, in order. With
 * `verify` the checksum of each is compared; without, headers are believed. Ends before the first
 * batch that is not whole, not valid or does not follow the one before. Reads in large pieces on
 * the threadpool; `onBatch` gets memory that is only its own for the call.
 */
export async function scanBatches(
  file: SharedFile,
  range: { readonly from: number; readonly to: number; readonly minOffset: number },
  verify: boolean,
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
      const room = to - position - at;
      if (room > window.length - at) {
        // The batch may go on behind the window: read on from its start.
        const sizeBytes = sizeAt(window, at);
        if (sizeBytes === undefined) break;
        if (sizeBytes > window.length - at && sizeBytes <= room) {
          wanted = Math.max(WINDOW_BYTES, sizeBytes);
          break;
        }
      }
      const header = readBatch(window, at, verify);
      if (typeof header === 'string') return { position: position + at, fault: header };
      if (header.baseOffset < minOffset) {
        const fault = `offset ${header.baseOffset} where at least ${minOffset} must follow`;
        return { position: position + at, fault };
      }
      minOffset = header.baseOffset + header.lastOffsetDelta + 1;
      const goOn = onBatch(storedBatch(header, window, at), position + at);
      at += header.sizeBytes;
      if (!goOn) return { position: position + at, fault: undefined };
    }
    position += at;
  }
  return { position, fault: undefined };
}

/** Size of the batch at `at`, undefined where its header is not whole. */
function sizeAt(window: Buffer, at: number): number | undefined {
  return window.length - at < BATCH_HEADER_BYTES ? undefined : batchSizeAt(window, at);
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
  range: { readonly from: number; readonly to: number; readonly minOffset: number },
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
      found = Math.max(found ?? 0, header.baseOffset + header.lastOffsetDelta);
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
