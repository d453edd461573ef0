import {
  BASE_TIMESTAMP_AT,
  BATCH_HEADER_BYTES,
  BatchWriter,
  LAST_OFFSET_DELTA_AT,
  MAX_TIMESTAMP_AT,
  stampBatch,
  stampProducer,
} from '../../protocol/records/index.js';
import type { LogEnvironment } from './environment.js';
import {
  CORRUPT_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  SEQUENCES_SUFFIX,
  SNAPSHOT_SUFFIX,
  TIME_INDEX_SUFFIX,
  writeInt64,
} from './format.js';
import { fileSize } from './load-segment.js';
import { findBatchBehind } from './scan.js';
import type { Segment } from './segment.js';

const MAX_INT32 = 2 ** 31 - 1;
const COPY_BYTES = 1024 * 1024;

/**
 * The last offset of any valid batch behind the good part of `segment`, there or in the segments
 * that follow; undefined where nothing follows, as behind a torn tail.
 */
export async function lastOffsetBehind(
  segment: Segment,
  following: readonly Segment[],
): Promise<number | undefined> {
  let last = await findBatchBehind(segment.file, {
    from: segment.sizeBytes + 1,
    to: fileSize(segment),
    minOffset: segment.nextOffset,
  });
  for (const next of following) {
    const range = { from: 0, to: fileSize(next), minOffset: next.baseOffset };
    last = (await findBatchBehind(next.file, range)) ?? last;
  }
  return last;
}

/**
 * A batch without records that takes the offsets from `baseOffset` to `lastOffset`, such as
 * compaction leaves behind: every reader passes over it.
 */
export function encodeEmptyBatch(
  baseOffset: number,
  lastOffset: number,
  leaderEpoch: number,
): Buffer {
  const producer = { producerId: -1, producerEpoch: -1, baseSequence: -1 };
  const bytes = new BatchWriter(BATCH_HEADER_BYTES).close({ codec: 'none', ...producer });
  bytes.writeInt32BE(Math.min(lastOffset - baseOffset, MAX_INT32), LAST_OFFSET_DELTA_AT);
  writeInt64(bytes, -1, BASE_TIMESTAMP_AT);
  writeInt64(bytes, -1, MAX_TIMESTAMP_AT);
  stampProducer(bytes, 0, producer);
  stampBatch(bytes, 0, baseOffset, leaderEpoch);
  return bytes;
}

/** Copies the whole `.log` beside itself; returns the copy's path. It is never overwritten. */
export async function keepCopy(env: LogEnvironment, segment: Segment): Promise<string> {
  const path = unusedPath(env, segment.path(LOG_SUFFIX));
  const copy = await env.disk.open(path, 'w');
  try {
    const size = fileSize(segment);
    for (let position = 0; position < size; ) {
      const bytes = await segment.file.read(position, Math.min(COPY_BYTES, size - position));
      if (bytes.length === 0) break;
      await copy.write([bytes], position);
      position += bytes.length;
    }
    await copy.sync();
  } finally {
    copy.closeSync();
  }
  return path;
}

/** Writes the good part of the `.log` over itself, for a sync that writes all of it. */
export async function rewrite(segment: Segment): Promise<void> {
  for (let position = 0; position < segment.sizeBytes; ) {
    const length = Math.min(COPY_BYTES, segment.sizeBytes - position);
    const bytes = await segment.file.read(position, length);
    if (bytes.length === 0) break;
    await segment.file.file.write([bytes], position);
    position += bytes.length;
  }
}

/** Renames the `.log` so that it is kept but no longer read, and removes what belongs to it. */
export async function putAside(env: LogEnvironment, segment: Segment): Promise<string> {
  segment.close();
  const path = unusedPath(env, segment.path(LOG_SUFFIX));
  await env.disk.rename(segment.path(LOG_SUFFIX), path);
  await removeCompanions(env, segment);
  return path;
}

/** Removes a segment that holds no valid batch. */
export async function removeSegment(env: LogEnvironment, segment: Segment): Promise<void> {
  segment.close();
  await env.disk.remove(segment.path(LOG_SUFFIX));
  await removeCompanions(env, segment);
}

async function removeCompanions(env: LogEnvironment, segment: Segment): Promise<void> {
  for (const suffix of [
    OFFSET_INDEX_SUFFIX,
    TIME_INDEX_SUFFIX,
    SNAPSHOT_SUFFIX,
    SEQUENCES_SUFFIX,
  ]) {
    await env.disk.remove(segment.path(suffix));
  }
}

function unusedPath(env: LogEnvironment, path: string): string {
  let candidate = `${path}${CORRUPT_SUFFIX}`;
  for (let number = 2; env.disk.statSync(candidate) !== undefined; number++) {
    candidate = `${path}.${number}${CORRUPT_SUFFIX}`;
  }
  return candidate;
}
