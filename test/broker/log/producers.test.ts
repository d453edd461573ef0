import { describe, expect, it } from 'vitest';
import { decodeSnapshot, encodeSnapshot } from '../../../broker/log/producer-snapshot.js';
import {
  type AppendedBatch,
  addToSequence,
  Producers,
  subtractFromSequence,
} from '../../../broker/log/producers.js';
import { appendedBatch } from '../../../broker/log/replay.js';
import { storedBatch } from '../../../broker/log/stored-batch.js';
import { encodeEndTransactionMarker, readBatchHeader } from '../../../protocol/records/index.js';
import { createSimSystem } from '../../../system/sim/index.js';
import { batch, openLog } from './support.js';

const MAX = 2 ** 31 - 1;

function dataBatch(baseSequence: number, count: number, baseOffset: number, more = {}) {
  const header = {
    producerId: 5,
    producerEpoch: 1,
    baseSequence,
    lastOffsetDelta: count - 1,
    isTransactional: false,
    isControl: false,
    ...more,
  };
  return { header, baseOffset, lastOffset: baseOffset + count - 1, maxTimestamp: 99 };
}

function replayed(...batches: AppendedBatch[]): Producers {
  const producers = new Producers();
  for (const one of batches) producers.replay(one, 1_000);
  return producers;
}

describe('sequences', () => {
  it('start over behind 2^31 - 1', () => {
    expect(addToSequence(MAX, 1)).toBe(0);
    expect(addToSequence(MAX - 1, 3)).toBe(1);
    expect(addToSequence(5, 3)).toBe(8);
    expect(subtractFromSequence(0, 1)).toBe(MAX);
    expect(subtractFromSequence(1, 3)).toBe(MAX - 1);
    const producers = replayed(dataBatch(MAX - 1, 3, 0));
    expect(producers.check(dataBatch(1, 1, 3).header)).toBeUndefined();
    expect(producers.check(dataBatch(MAX - 1, 3, 3).header)?.lastOffset).toBe(2);
    expect(() => producers.check(dataBatch(2, 1, 3).header)).toThrow('expected 1');
  });

  it('are taken as they come from a producer nobody knows', () => {
    expect(new Producers().check(dataBatch(17, 1, 0).header)).toBeUndefined();
  });
});

describe('transactions', () => {
  it('are open from their first batch to their marker', () => {
    const producers = replayed(
      dataBatch(0, 2, 10, { isTransactional: true }),
      dataBatch(2, 2, 12, { isTransactional: true }),
    );
    expect(producers.get(5)?.currentTransactionFirstOffset).toBe(10);
    producers.expire(1e15, 1);
    expect(producers.size).toBe(1);
    const marker = encodeEndTransactionMarker({
      type: 'commit',
      timestamp: 100,
      producerId: 5,
      producerEpoch: 1,
      coordinatorEpoch: 3,
    });
    const stored = storedBatch(readBatchHeader(marker, 0), marker, 0);
    producers.replay(appendedBatch(stored), 1_000);
    expect(producers.get(5)).toMatchObject({
      currentTransactionFirstOffset: -1,
      coordinatorEpoch: 3,
      epoch: 1,
    });
    producers.expire(1e15, 1);
    expect(producers.size).toBe(0);
  });
});

describe('snapshots', () => {
  it('hold each producer’s last batch, in Kafka’s bytes', () => {
    const producers = replayed(dataBatch(0, 2, 10), dataBatch(2, 3, 12));
    const bytes = encodeSnapshot(producers.entries());
    const fields = '00000001 0000000000000005 0001 00000004 000000000000000e 00000002';
    const rest = '0000000000000063 ffffffff ffffffffffffffff';
    expect(bytes.subarray(6).toString('hex')).toBe(`${fields}${rest}`.replaceAll(' ', ''));
    expect(decodeSnapshot(bytes, 7)).toEqual([
      {
        producerId: 5,
        epoch: 1,
        batches: [
          { firstSequence: 2, lastSequence: 4, lastOffset: 14, offsetDelta: 2, timestamp: 99 },
        ],
        lastTimestamp: 99,
        seenMs: 7,
        coordinatorEpoch: -1,
        currentTransactionFirstOffset: -1,
      },
    ]);
    expect(decodeSnapshot(encodeSnapshot([]), 0)).toEqual([]);
  });

  it('are refused with any bit flipped or byte missing', () => {
    const bytes = encodeSnapshot(replayed(dataBatch(0, 2, 10)).entries());
    const refused = expect.objectContaining({ code: 'INVALID_LOG_DIRECTORY' });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeSnapshot(flipped, 0)).toThrow(refused);
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSnapshot(bytes.subarray(0, length), 0)).toThrow(refused);
    }
  });
});

it("repeats of a producer's last five batches are known after a kill right behind a roll", () => {
  const sim = createSimSystem({ seed: 17 });
  return sim.run(async () => {
    const system = sim.process('broker');
    const log = await openLog(system, { segmentBytes: 600 });
    const sent = (sequence: number) =>
      batch([`${sequence}`.padEnd(40, '.')], {
        producerId: 5,
        producerEpoch: 0,
        baseSequence: sequence,
      });
    let sequence = 0;
    while (log.segmentCount < 2) log.append(sent(sequence++), { leaderEpoch: 0 });
    await log.flushed(sequence - 1);
    system.kill();
    // The recovery point lies at the new segment's base, as the roll's sync left it.
    const recoveryPoint = sequence - 1;
    const again = await openLog(sim.process('again'), {}, { recoveryPoint });
    for (let index = sequence - 5; index < sequence; index++) {
      const { baseOffset, duplicate } = again.append(sent(index), { leaderEpoch: 0 });
      expect([index, baseOffset, duplicate]).toEqual([index, index, true]);
    }
  });
});
