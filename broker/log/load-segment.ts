import type { LogEnvironment } from './environment.js';
import { LOG_SUFFIX, OFFSET_ENTRY_BYTES, readInt64, TIME_ENTRY_BYTES } from './format.js';
import { type ScanEnd, type ScanRange, scanBatches } from './scan.js';
import { Segment, type SegmentSettings } from './segment.js';
import type { StoredBatch } from './stored-batch.js';

/** A segment whose `.log` is in the directory; nothing of it has been looked at yet. */
export function findSegment(env: LogEnvironment, directory: string, baseOffset: number): Segment {
  const segment = new Segment(env.disk, directory, baseOffset, env.clock.now());
  const stat = env.disk.statSync(segment.path(LOG_SUFFIX));
  if (stat !== undefined) segment.createdMs = stat.modifiedMs;
  return segment;
}

/** Bytes of the segment's `.log` as it stands in the directory. */
export function fileSize(segment: Segment): number {
  return segment.file.file.statSync().size;
}

/**
 * Where the batches of a segment end, by their headers alone: walked from the last index entry
 * where that is right, else from the start.
 */
export async function endOffsetOf(segment: Segment): Promise<number> {
  const last = segment.offsetIndex.file.readLast()?.entry;
  const size = fileSize(segment);
  const indexed = last?.length === OFFSET_ENTRY_BYTES ? last.readInt32BE(4) : 0;
  for (const from of indexed > 0 && indexed < size ? [indexed, 0] : [0]) {
    let endOffset = segment.baseOffset;
    const range = { from, to: size, minOffset: segment.baseOffset };
    const { fault } = await scanBatches(segment.file, range, (batch) => {
      endOffset = batch.lastOffset + 1;
      return true;
    });
    if (fault === undefined || from === 0) return endOffset;
  }
  return segment.baseOffset;
}

/**
 * Believes a segment that was sealed and synced: reads its size and the last entry of its time
 * index. Indexes that are missing or not whole are built anew.
 */
export async function loadSealed(
  segment: Segment,
  nextOffset: number,
  settings: SegmentSettings,
): Promise<void> {
  const lastTime = segment.timeIndex.file.readLast();
  const lastOffset = segment.offsetIndex.file.readLast();
  segment.sizeBytes = fileSize(segment);
  const plausible = segment.sizeBytes === 0 || (lastTime?.count ?? 0) > 0;
  if (lastTime === undefined || lastOffset === undefined || !plausible) {
    await rebuildIndexes(segment, settings);
  } else if (lastTime.entry.length === TIME_ENTRY_BYTES) {
    segment.maxTimestamp = readInt64(lastTime.entry, 0);
    segment.maxTimestampOffset = segment.baseOffset + lastTime.entry.readInt32BE(8);
  }
  segment.nextOffset = nextOffset;
  segment.cool();
}

/** Scans a sealed segment and writes its indexes anew. The bytes themselves are believed. */
export async function rebuildIndexes(segment: Segment, settings: SegmentSettings): Promise<void> {
  const { nextOffset } = segment;
  await scanSegment(segment, settings, {}, () => true);
  segment.nextOffset = Math.max(segment.nextOffset, nextOffset);
  segment.seal();
}

/**
 * Builds state and indexes of a segment from its batches. Ends before the first one that is not
 * valid, or that `onBatch` refuses by returning false.
 */
export async function scanSegment(
  segment: Segment,
  settings: SegmentSettings,
  options: Pick<ScanRange, 'verify' | 'followedBy'>,
  onBatch: (batch: StoredBatch) => boolean,
): Promise<ScanEnd> {
  const { baseOffset: minOffset } = segment;
  const range = { from: 0, to: fileSize(segment), minOffset, ...options };
  segment.resetState();
  segment.createIndexes(settings);
  let refusedAt: number | undefined;
  const end = await scanBatches(segment.file, range, (batch, position) => {
    if (!onBatch(batch)) {
      refusedAt = position;
      return false;
    }
    segment.note(batch, settings);
    return true;
  });
  return refusedAt === undefined ? end : { position: refusedAt, fault: undefined };
}

/**
 * Believes the segment that was appended to last, after a clean stop: loads its indexes and walks
 * from the last index entry to the end. False where it is not as a clean stop leaves it.
 */
export async function loadActive(segment: Segment, settings: SegmentSettings): Promise<boolean> {
  const { offsetIndex, timeIndex } = segment;
  const present =
    offsetIndex.file.readLast() !== undefined && timeIndex.file.readLast() !== undefined;
  if (!present) return false;
  const size = fileSize(segment);
  await offsetIndex.file.load();
  await timeIndex.file.load();
  if (!offsetIndex.isSane(size)) return false;
  const entry =
    offsetIndex.file.count === 0 ? undefined : offsetIndex.entry(offsetIndex.file.count - 1);
  let first = true;
  let fits = true;
  const from = entry?.position ?? 0;
  const range = { from, to: size, minOffset: segment.baseOffset };
  segment.resumeAt(from);
  const end = await scanBatches(segment.file, range, (batch) => {
    if (first && entry !== undefined) fits = batch.lastOffset === entry.lastOffset;
    first = false;
    segment.note(batch, settings, false);
    return fits;
  });
  if (end.fault !== undefined || !fits || !timeIndex.isSane(segment.nextOffset)) return false;
  const time = timeIndex.last();
  if (time !== undefined && time.timestamp >= segment.maxTimestamp) {
    segment.maxTimestamp = time.timestamp;
    segment.maxTimestampOffset = time.offset;
  }
  await readFirstTimestamp(segment);
  segment.reopenIndexes(settings);
  return true;
}

async function readFirstTimestamp(segment: Segment): Promise<void> {
  const range = { from: 0, to: segment.sizeBytes, minOffset: segment.baseOffset };
  await scanBatches(segment.file, range, (batch) => {
    segment.firstTimestamp = batch.maxTimestamp;
    return false;
  });
}
