import { expect, it } from 'vitest';
import { segmentsToDelete } from '../../../broker/log/retention.js';

const segments = [0, 10, 20, 30].map((baseOffset) => ({
  baseOffset,
  nextOffset: baseOffset + 10,
  sizeBytes: 100,
  maxTimestamp: 1_000 + baseOffset,
  createdMs: 0,
}));
const none = { cleanupPolicy: 'delete', retentionMs: -1, retentionBytes: -1 } as const;
const input = { settings: none, nowMs: 1_530, startOffset: 0, highWatermark: 40 };

it('keeps everything where nothing is limited', () => {
  expect(segmentsToDelete(segments, { ...input, nowMs: 1e15 })).toBe(0);
});

it.each([
  [531, 0],
  [530, 0],
  [529, 1],
  [509, 3],
  [499, 4],
])('retention.ms=%i deletes %i segments', (retentionMs, count) => {
  const settings = { ...none, retentionMs };
  expect(segmentsToDelete(segments, { ...input, settings })).toBe(count);
});

it.each([
  [400, 0],
  [301, 0],
  [300, 1],
  [199, 2],
  [0, 4],
])('retention.bytes=%i deletes %i segments', (retentionBytes, count) => {
  const settings = { ...none, retentionBytes };
  expect(segmentsToDelete(segments, { ...input, settings })).toBe(count);
});

it('stops at the high watermark and spares compacted topics and empty active segments', () => {
  const settings = { ...none, retentionMs: 0 };
  expect(segmentsToDelete(segments, { ...input, settings, highWatermark: 29 })).toBe(2);
  const compact = { ...settings, cleanupPolicy: 'compact' } as const;
  expect(segmentsToDelete(segments, { ...input, settings: compact })).toBe(0);
  const both = { ...settings, cleanupPolicy: 'compact,delete' } as const;
  expect(segmentsToDelete(segments, { ...input, settings: both })).toBe(4);
  const empty = { ...segments[3]!, baseOffset: 40, nextOffset: 40, sizeBytes: 0 };
  expect(segmentsToDelete([...segments, empty], { ...input, settings })).toBe(4);
});

it('deletes what lies before the start offset under every policy', () => {
  const settings = { ...none, cleanupPolicy: 'compact' } as const;
  expect(segmentsToDelete(segments, { ...input, settings, startOffset: 25 })).toBe(2);
});

it('goes by the file where no record has a time', () => {
  const timeless = segments.map((segment) => ({ ...segment, maxTimestamp: -1, createdMs: 1_000 }));
  const settings = { ...none, retentionMs: 530 };
  expect(segmentsToDelete(timeless, { ...input, settings })).toBe(0);
  expect(segmentsToDelete(timeless, { ...input, settings, nowMs: 1_531 })).toBe(4);
});
