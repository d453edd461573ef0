import { BATCH_HEADER_BYTES } from '../../protocol/records/index.js';
import { batchSizeAt, lastOffsetAt } from './format.js';
import { LogError } from './log-error.js';
import type { Segment } from './segment.js';
import type { TailRead } from './tail-cache.js';

/** Read beyond `maxBytes`, because an index entry leads to a place before the offset. */
const SLACK_BYTES = 16 * 1024;

/**
 * Reads whole batches of a segment from its file: the batch that holds the offset first, else the
 * first one behind it. undefined where the segment has none; empty where none may be returned.
 * The segment's offset index must be loaded.
 */
export async function readSegment(segment: Segment, query: TailRead): Promise<Buffer | undefined> {
  const { offset, maxBytes, maxOffset, minOneBatch } = query;
  const { sizeBytes } = segment;
  const windowBytes = Math.max(0, maxBytes) + SLACK_BYTES;
  const found = await locateBatch(segment, offset, windowBytes);
  if (found === undefined) return undefined;
  const { window, start, position } = found;
  if (lastOffsetAt(window, start) >= maxOffset) return Buffer.alloc(0);
  const end = wholeBatches(window, start, start + maxBytes, maxOffset);
  if (end > start) return window.subarray(start, end);
  const firstBytes = batchSize(segment, window, start);
  if (!minOneBatch && firstBytes > maxBytes) return Buffer.alloc(0);
  const batch = await segment.file.read(position, Math.min(firstBytes, sizeBytes - position));
  if (batch.length < firstBytes) throw corrupt(segment, position);
  return batch;
}

/** Bytes read from a segment. A batch's header starts at `start`: `position` in the file. */
interface LocatedWindow {
  readonly window: Buffer;
  readonly start: number;
  readonly position: number;
}

/** Finds the first batch that ends at or after `offset`; undefined where there is none. */
export async function locateBatch(
  segment: Segment,
  offset: number,
  windowBytes: number,
): Promise<LocatedWindow | undefined> {
  const { sizeBytes } = segment;
  const entry = segment.offsetIndex.lookup(offset);
  let position = entry?.position ?? 0;
  let expected = entry?.lastOffset;
  while (position + BATCH_HEADER_BYTES <= sizeBytes) {
    const length = Math.min(sizeBytes - position, Math.max(windowBytes, BATCH_HEADER_BYTES));
    const window = await segment.file.read(position, length);
    if (window.length < BATCH_HEADER_BYTES) throw corrupt(segment, position);
    if (expected !== undefined && lastOffsetAt(window, 0) !== expected) {
      throw new IndexMismatchError(segment);
    }
    expected = undefined;
    let start = 0;
    while (start + BATCH_HEADER_BYTES <= window.length) {
      if (lastOffsetAt(window, start) >= offset)
        return { window, start, position: position + start };
      start += batchSize(segment, window, start);
    }
    position += start;
  }
  return undefined;
}

/** The index leads to a place where its batch is not: it must be built anew. */
export class IndexMismatchError extends Error {
  override readonly name = 'IndexMismatchError';
  readonly segment: Segment;

  constructor(segment: Segment) {
    super(`the offset index of segment ${segment.baseOffset} does not fit its log`);
    this.segment = segment;
  }
}

/** Behind the last batch of `window` that lies whole before `limit` and ends before `maxOffset`. */
function wholeBatches(window: Buffer, start: number, limit: number, maxOffset: number): number {
  const end = Math.min(window.length, limit);
  let at = start;
  while (at + BATCH_HEADER_BYTES <= end) {
    const next = at + batchSizeAt(window, at);
    if (next > end || next <= at || lastOffsetAt(window, at) >= maxOffset) break;
    at = next;
  }
  return at;
}

function batchSize(segment: Segment, window: Buffer, at: number): number {
  const size = batchSizeAt(window, at);
  if (size < BATCH_HEADER_BYTES) throw corrupt(segment, at);
  return size;
}

function corrupt(segment: Segment, position: number): LogError {
  return new LogError(
    'CORRUPT_MESSAGE',
    `${segment.path('.log')} is damaged near byte ${position}: see logflume log verify`,
  );
}
