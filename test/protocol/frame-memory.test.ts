import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrameMemory, FrameSplitter } from '../../protocol/index.js';
import { BatchWriter } from '../../protocol/records/index.js';

const SIZE = 20_000;
const CAPACITY = 64 * 1024;

/** Node's pool may be of any size; of this one it hands out slices of 20 kB, too. */
const { poolSize } = Buffer;
beforeEach(() => {
  Buffer.poolSize = CAPACITY;
  // The next slice is the first of a pool of that size.
  for (let taken = 0; taken <= CAPACITY; taken += 1000) Buffer.allocUnsafe(1000);
});
afterEach(() => {
  Buffer.poolSize = poolSize;
});

const plain = { codec: 'none', producerId: -1, producerEpoch: -1, baseSequence: -1 } as const;

describe('memory is used again only by whom it belongs to', () => {
  it('a slice of Node’s pool never becomes a frame', () => {
    const memory = new FrameMemory(1 << 20);
    const neighbours = [Buffer.from(Buffer.alloc(SIZE, 1)), Buffer.from(Buffer.alloc(SIZE, 2))];
    memory.give(neighbours[0] as Buffer);
    memory.take(CAPACITY).fill(9);
    memory.take(SIZE).fill(9);
    expect(neighbours.map((one) => new Set(one))).toEqual([new Set([1]), new Set([2])]);
  });

  it('a frame that is given back twice is handed out once', () => {
    const memory = new FrameMemory(1 << 20);
    const frame = memory.take(SIZE);
    memory.give(frame);
    memory.give(frame);
    const [first, second] = [memory.take(SIZE).fill(1), memory.take(SIZE).fill(2)];
    expect(first.buffer).toBe(frame.buffer);
    expect(new Set(first)).toEqual(new Set([1]));
    expect(new Set(second)).toEqual(new Set([2]));
  });

  it('a slice of a frame gives the whole frame back, however it grew', () => {
    const memory = new FrameMemory(1 << 24);
    const splitter = new FrameSplitter(1 << 24, memory);
    const large = Buffer.alloc(4 + (5 << 20), 7);
    large.writeInt32BE(large.length - 4, 0);
    const frames: Buffer[] = [];
    for (let at = 0; at < large.length; at += 300_000) {
      splitter.push(large.subarray(at, at + 300_000), (frame) => frames.push(frame));
    }
    const [frame] = frames;
    expect(frame?.equals(large.subarray(4))).toBe(true);
    memory.give((frame as Buffer).subarray(10, 20));
    expect(memory.take(5 << 20).buffer).toBe(frame?.buffer);
  });

  it('a batch in Node’s pool never becomes a writer’s memory', () => {
    // Its memory may be a little larger than what was asked for.
    const capacity = Buffer.allocUnsafe(1).buffer.byteLength;
    const writer = new BatchWriter(capacity);
    const value = Buffer.from('value');
    const append = () => writer.tryAppend(0, null, 0, 0, value, 0, value.length, null);
    append();
    // What the producer does with a batch that is much smaller than its memory.
    const closed = writer.close(plain);
    let batch = closed;
    let neighbour = Buffer.alloc(0);
    // Which pool a slice comes from is Node's to say: until both are of one.
    while (batch.buffer !== neighbour.buffer) {
      batch = Buffer.from(closed);
      neighbour = Buffer.from(Buffer.alloc(SIZE, 2));
    }
    expect(batch.buffer.byteLength).toBe(capacity);
    writer.reset(batch);
    for (let i = 0; i < 3000; i++) append();
    writer.close(plain);
    expect(new Set(neighbour)).toEqual(new Set([2]));
  });

  it('a writer’s own memory is written to again', () => {
    const writer = new BatchWriter(CAPACITY);
    writer.tryAppend(0, null, 0, 0, null, 0, 0, null);
    const first = writer.close(plain);
    writer.reset(first);
    writer.tryAppend(0, null, 0, 0, null, 0, 0, null);
    expect(writer.close(plain).buffer).toBe(first.buffer);
  });
});
