import { expect, it } from 'vitest';
import { LeaderEpochs } from '../../../broker/log/epochs.js';

function epochs(...entries: [number, number][]): LeaderEpochs {
  const result = new LeaderEpochs();
  for (const [epoch, startOffset] of entries) result.assign(epoch, startOffset);
  return result;
}

it('answers where an epoch ends, as KIP-101 asks', () => {
  const known = epochs([2, 0], [2, 5], [4, 10], [7, 20]);
  expect(known.latest).toBe(7);
  const ends = [0, 1, 2, 3, 4, 5, 6, 7, 8, -1].map((epoch) => known.endOffsetFor(epoch, 30));
  expect(ends).toEqual([
    { epoch: 0, endOffset: 0 },
    { epoch: 1, endOffset: 0 },
    { epoch: 2, endOffset: 10 },
    { epoch: 2, endOffset: 10 },
    { epoch: 4, endOffset: 20 },
    { epoch: 4, endOffset: 20 },
    { epoch: 4, endOffset: 20 },
    { epoch: 7, endOffset: 30 },
    { epoch: -1, endOffset: -1 },
    { epoch: -1, endOffset: -1 },
  ]);
});

it('forgets what is cut off at either end', () => {
  const cut = epochs([0, 0], [1, 10], [2, 20]);
  cut.dirty = false;
  cut.truncateFromEnd(25);
  expect(cut.dirty).toBe(false);
  cut.truncateFromEnd(20);
  expect([cut.latest, cut.dirty]).toEqual([1, true]);
  cut.truncateFromStart(15);
  expect(cut.entries).toEqual([{ epoch: 1, startOffset: 15 }]);
  cut.truncateFromStart(10);
  expect(cut.entries).toEqual([{ epoch: 1, startOffset: 15 }]);
});

it('believes a later epoch that begins earlier', () => {
  const known = epochs([0, 0], [1, 10], [2, 20]);
  known.assign(3, 10);
  expect(known.entries).toEqual([
    { epoch: 0, startOffset: 0 },
    { epoch: 3, startOffset: 10 },
  ]);
  known.assign(2, 30);
  expect(known.latest).toBe(3);
});
