import { BATCH_HEADER_BYTES, RecordCursor, RecordsError } from '../../protocol/records/index.js';
import { locateBatch } from './cold-read.js';
import type { TimestampedOffset } from './log-options.js';
import { scanBatches } from './scan.js';
import type { Segment } from './segment.js';
import type { StoredBatch } from './stored-batch.js';

/** Bound of a batch's decompressed size when its records are looked through. */
const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024;

/**
 * The first record of a segment, at or after `minOffset`, whose time is at or after `timestamp`.
 * The segment's indexes must be loaded.
 */
export async function findByTimestamp(
  segment: Segment,
  timestamp: number,
  minOffset: number,
): Promise<TimestampedOffset | undefined> {
  const from = Math.max(minOffset, segment.timeIndex.lookup(timestamp));
  const place = await locateBatch(segment, from, BATCH_HEADER_BYTES);
  if (place === undefined) return undefined;
  let found: TimestampedOffset | undefined;
  const range = { from: place.position, to: segment.sizeBytes, minOffset: segment.baseOffset };
  await scanBatches(segment.file, range, (batch) => {
    if (batch.maxTimestamp >= timestamp) found = findInBatch(batch, timestamp, minOffset);
    return found === undefined;
  });
  return found;
}

/**
 * In one batch. Brokers before this one took compressed batches unseen, so it may hold what nobody
 * can decompress: readers cannot start there, and get the next that they can read.
 */
function findInBatch(
  batch: StoredBatch,
  timestamp: number,
  minOffset: number,
): TimestampedOffset | undefined {
  try {
    return findRecord(batch, timestamp, minOffset);
  } catch (error) {
    if (error instanceof RecordsError && error.code !== 'CODEC_NOT_LOADED') return undefined;
    throw error;
  }
}

function findRecord(
  batch: StoredBatch,
  timestamp: number,
  minOffset: number,
): TimestampedOffset | undefined {
  const cursor = new RecordCursor();
  cursor.open(batch.bytes, batch.start, MAX_DECOMPRESSED_BYTES);
  while (cursor.next()) {
    if (cursor.timestamp < timestamp || cursor.offset < minOffset) continue;
    const { offset } = cursor;
    return { offset, timestamp: cursor.timestamp, leaderEpoch: batch.leaderEpoch };
  }
  return undefined;
}
