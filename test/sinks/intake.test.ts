import { describe, expect, it } from 'vitest';
import type { FetchedRecords, PartitionFeed } from '../../sinks/feed.js';
import { Intake } from '../../sinks/intake.js';
import { cursorOver } from './record-list.js';

const feed: PartitionFeed = {
  committed: async () => undefined,
  commit: async () => undefined,
  range: async () => ({ start: 0, end: 100 }),
  seek: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};

/** Ten offsets from `start`; `released` notes each time their memory is given back. */
function fetched(start: number, released: number[]): FetchedRecords {
  return {
    fetchOffset: start,
    nextOffset: start + 10,
    records: cursorOver([{ value: Buffer.from('a') }], start),
    batches: [],
    release: () => released.push(start),
  };
}

async function reading(): Promise<Intake> {
  const intake = new Intake(feed);
  expect(await intake.read(0)).toBe('reading');
  return intake;
}

describe('fetched memory', () => {
  it('is given back once, when the last record was used', async () => {
    const intake = await reading();
    const released: number[] = [];
    intake.offer(fetched(0, released));
    intake.offer(fetched(10, released));
    intake.use(5, false);
    expect(released).toEqual([]);
    intake.use(10, true);
    expect(released).toEqual([0]);
    intake.forget();
    intake.forget();
    expect(released).toEqual([0, 10]);
  });

  it('is given back at once where nothing asked for it', async () => {
    const intake = await reading();
    const released: number[] = [];
    expect(intake.offer(fetched(20, released))).toBe(false);
    intake.forget();
    expect(intake.offer(fetched(0, released))).toBe(true);
    expect(released).toEqual([20, 0]);
  });
});
