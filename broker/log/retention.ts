import type { LogSettings } from './settings.js';

/** What retention looks at in a segment. */
export interface RetainedSegment {
  readonly baseOffset: number;
  /** Behind its last record. */
  readonly nextOffset: number;
  readonly sizeBytes: number;
  /** Largest timestamp of its records, milliseconds; -1 where there is none. */
  readonly maxTimestamp: number;
  /** When the file was last changed; stands in where no record has a time. */
  readonly createdMs: number;
}

/** What decides about segments besides themselves. */
export interface RetentionInput {
  readonly settings: Pick<LogSettings, 'cleanupPolicy' | 'retentionMs' | 'retentionBytes'>;
  readonly nowMs: number;
  /** Records before it were deleted on purpose. */
  readonly startOffset: number;
  /** Nothing that is not committed is deleted. */
  readonly highWatermark: number;
}

/**
 * How many segments, oldest first, are to be deleted: those wholly before the start offset, and
 * under `cleanup.policy=delete` those that are too old or beyond the size. The last one is the
 * active segment; where it counts too, a new one has to be rolled first.
 */
export function segmentsToDelete(
  segments: readonly RetainedSegment[],
  { settings, nowMs, startOffset, highWatermark }: RetentionInput,
): number {
  const deletes = settings.cleanupPolicy !== 'compact';
  let sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  let count = 0;
  for (const segment of segments) {
    if (segment.sizeBytes === 0 && segment === segments.at(-1)) break;
    if (segment.nextOffset > highWatermark) break;
    sizeBytes -= segment.sizeBytes;
    const lastMs = segment.maxTimestamp >= 0 ? segment.maxTimestamp : segment.createdMs;
    const tooOld = settings.retentionMs >= 0 && nowMs - lastMs > settings.retentionMs;
    const tooMuch = settings.retentionBytes >= 0 && sizeBytes >= settings.retentionBytes;
    const cut = segment.nextOffset <= startOffset;
    if (!cut && !(deletes && (tooOld || tooMuch))) break;
    count++;
  }
  return count;
}
