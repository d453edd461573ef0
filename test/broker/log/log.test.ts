import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Log, LogError, TailMemory } from '../../../broker/log/index.js';
import { stampProducer } from '../../../protocol/records/index.js';
import { createSimSystem, type SimProcess, type Simulation } from '../../../system/sim/index.js';
import { batch, codeOf, directory, openLog, readAll, recordsOf, valuesOf } from './support.js';

let sim: Simulation;
let system: SimProcess;

beforeEach(() => {
  sim = createSimSystem({ seed: 1 });
  system = sim.process('broker');
});

/** Runs a test's body in simulated time. */
function inSim(work: () => Promise<void>): () => Promise<void> {
  return () => sim.run(work);
}

const epoch = { leaderEpoch: 0 };
const withoutTail = { tail: new TailMemory(0) };

function names(suffix: string): string[] {
  return system.disk.listSync(directory).filter((name) => name.endsWith(suffix));
}

describe('append', () => {
  it(
    'gives each record the next offset, and each batch the leader’s epoch',
    inSim(async () => {
      const log = await openLog(system);
      expect(log.append(batch(['a', 'b']), { leaderEpoch: 4 })).toEqual({
        baseOffset: 0,
        lastOffset: 1,
        logAppendTime: -1,
        duplicate: false,
        flushFirst: false,
      });
      const two = Buffer.concat([batch(['c']), batch(['d', 'e'])]);
      expect(log.append(two, { leaderEpoch: 5 })).toMatchObject({ baseOffset: 2, lastOffset: 4 });
      expect(await readAll(log)).toMatchObject(
        ['a', 'b', 'c', 'd', 'e'].map((value, offset) => ({ value, offset })),
      );
      expect(log.latestEpoch).toBe(5);
      expect(log.offsetForLeaderEpoch(4)).toEqual({ epoch: 4, endOffset: 2 });
    }),
  );

  it(
    'writes the batches of one append with one call, all of them or none',
    inSim(async () => {
      const log = await openLog(system);
      const stepsBefore = system.steps;
      const damaged = batch(['d']);
      damaged[damaged.length - 1]! ^= 1;
      expect(log.append(Buffer.concat([batch(['a']), batch(['b'])]), epoch)).toMatchObject({
        baseOffset: 0,
        lastOffset: 1,
      });
      expect(system.steps - stepsBefore).toBe(1);
      const partly = Buffer.concat([batch(['c']), damaged]);
      expect(await codeOf(() => log.append(partly, epoch))).toBe('CORRUPT_MESSAGE');
      expect(await valuesOf(log)).toEqual(['a', 'b']);
    }),
  );

  it(
    'keeps no reference to the memory it was given',
    inSim(async () => {
      const log = await openLog(system);
      const bytes = batch(['kept']);
      log.append(bytes, epoch);
      bytes.fill(0);
      expect(await valuesOf(log)).toEqual(['kept']);
    }),
  );

  it(
    'refuses batches that are damaged, too large, from the future or say what they must not',
    inSim(async () => {
      const log = await openLog(system, {
        maxMessageBytes: 300,
        segmentBytes: 500,
        messageTimestampAfterMaxMs: 1_000,
        messageTimestampBeforeMaxMs: 5_000,
      });
      const now = system.clock.now();
      const at = (timestamp: number) => batch(['x'], { timestamp });
      const changed = (change: (bytes: Buffer) => void) => {
        const bytes = batch(['x', 'y'], { timestamp: now });
        change(bytes);
        stampProducer(bytes, 0, { producerId: -1, producerEpoch: -1, baseSequence: -1 });
        return bytes;
      };
      const valid = batch(['x'], { timestamp: now });
      const cases: [string, Buffer][] = [
        ['CORRUPT_MESSAGE', valid.subarray(0, valid.length - 1)],
        ['CORRUPT_MESSAGE', valid.subarray(0, 20)],
        ['INVALID_RECORD', Buffer.alloc(0)],
        ['INVALID_RECORD', changed((bytes) => bytes.writeInt8(1, 16))],
        ['INVALID_RECORD', changed((bytes) => bytes.writeInt32BE(5, 23))],
        ['INVALID_RECORD', changed((bytes) => bytes.writeInt32BE(1, 57))],
        ['INVALID_RECORD', batch(['x'], { timestamp: now, control: true })],
        ['INVALID_TXN_STATE', batch(['x'], { timestamp: now, transactional: true })],
        ['INVALID_RECORD', batch(['x'], { timestamp: now, producerId: 1 })],
        ['INVALID_RECORD', changed((bytes) => bytes.writeInt16BE(8, 21))],
        ['MESSAGE_TOO_LARGE', batch(['x'.repeat(300)], { timestamp: now })],
        ['RECORD_LIST_TOO_LARGE', Buffer.concat(Array.from({ length: 8 }, () => at(now)))],
        ['INVALID_TIMESTAMP', at(now + 1_001)],
        ['INVALID_TIMESTAMP', at(now - 5_001)],
      ];
      for (const [code, bytes] of cases) {
        expect(await codeOf(() => log.append(bytes, epoch))).toBe(code);
      }
      expect(log.endOffset).toBe(0);
      expect(log.append(at(now + 1_000), epoch).baseOffset).toBe(0);
    }),
  );

  it(
    'stamps the time of the append where the topic asks for it',
    inSim(async () => {
      const log = await openLog(system, { messageTimestampType: 'LogAppendTime' });
      await system.clock.sleep(50);
      const now = system.clock.now();
      expect(log.append(batch(['a', 'b'], { timestamp: 5 }), epoch).logAppendTime).toBe(now);
      expect((await readAll(log)).map(({ timestamp }) => timestamp)).toEqual([now, now]);
      expect(await log.offsetForTimestamp(now)).toMatchObject({ offset: 0, timestamp: now });
      await log.close();
      const again = await openLog(system);
      expect(again.endOffset).toBe(2);
    }),
  );

  it(
    'takes a leader’s batches as they are',
    inSim(async () => {
      const leader = await openLog(system);
      leader.append(batch(['a', 'b']), { leaderEpoch: 2 });
      leader.append(batch(['c']), { leaderEpoch: 3 });
      const bytes = Buffer.from(await leader.read(0, 10_000));
      await leader.close();
      await system.disk.removeTree(directory);
      const follower = await openLog(system);
      follower.append(bytes, { leaderEpoch: 9, validated: true });
      expect(await follower.read(0, 10_000)).toEqual(bytes);
      expect(follower.latestEpoch).toBe(3);
      expect(await codeOf(() => follower.append(bytes, { leaderEpoch: 9, validated: true }))).toBe(
        'OFFSET_OUT_OF_RANGE',
      );
    }),
  );
});

describe('idempotent producers', () => {
  const from = (baseSequence: number, count = 1, producerEpoch = 0) =>
    batch(
      Array.from({ length: count }, (_, index) => `s${baseSequence + index}`),
      { producerId: 9, producerEpoch, baseSequence },
    );

  it(
    'answer a repetition with the first offsets, also after a stop in order',
    inSim(async () => {
      let log = await openLog(system, { segmentBytes: 200 });
      const first: number[] = [];
      for (let index = 0; index < 7; index++)
        first.push(log.append(from(index * 2, 2), epoch).baseOffset);
      await log.close();
      log = await openLog(system, { segmentBytes: 1000 }, { clean: true, recoveryPoint: 14 });
      log.append(from(14, 2), epoch);
      log.append(from(16, 2), epoch);
      await log.close();
      log = await openLog(system, { segmentBytes: 1000 }, { clean: true, recoveryPoint: 18 });
      expect(log.append(from(16, 2), epoch)).toMatchObject({ baseOffset: 16, duplicate: true });
      expect(log.append(from(14, 2), epoch)).toMatchObject({ baseOffset: 14, duplicate: true });
      expect(log.append(from(18, 2), epoch)).toMatchObject({ baseOffset: 18, duplicate: false });
      expect(await codeOf(() => log.append(from(0, 2), epoch))).toBe(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
      );
      expect(first).toEqual([0, 2, 4, 6, 8, 10, 12]);
    }),
  );

  it(
    'are remembered with their last five batches after a kill',
    inSim(async () => {
      const log = await openLog(system, { segmentBytes: 200 });
      for (let index = 0; index < 8; index++) log.append(from(index), epoch);
      system.kill();
      const again = await openLog(sim.process('again'), { segmentBytes: 200 });
      for (let index = 3; index < 8; index++) {
        expect(again.append(from(index), epoch)).toMatchObject({
          baseOffset: index,
          duplicate: true,
        });
      }
      expect(await codeOf(() => again.append(from(2), epoch))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    }),
  );

  it(
    'are checked, and fenced by their epoch',
    inSim(async () => {
      const log = await openLog(system);
      const codes: (string | boolean)[] = [];
      const sent = [from(0), from(1), from(1), from(3), from(0, 1, 1), from(2), from(1, 1, 2)];
      for (const bytes of sent) {
        try {
          codes.push(log.append(bytes, epoch).duplicate);
        } catch (error) {
          codes.push(error instanceof LogError ? error.code : String(error));
        }
      }
      const gap = 'OUT_OF_ORDER_SEQUENCE_NUMBER';
      expect(codes).toEqual([false, false, true, gap, false, 'INVALID_PRODUCER_EPOCH', gap]);
      expect(await valuesOf(log)).toEqual(['s0', 's1', 's0']);
    }),
  );

  it(
    'are forgotten when they have been idle for long, by the broker’s clock',
    inSim(async () => {
      const log = await openLog(system, { producerIdExpirationMs: 10_000 });
      log.append(from(0), epoch);
      await log.applyRetention(system.clock.now() + 9_999);
      expect(log.producerCount).toBe(1);
      await log.applyRetention(system.clock.now() + 10_000);
      expect(log.producerCount).toBe(0);
      expect(log.append(from(5), epoch).duplicate).toBe(false);
    }),
  );
});

describe('read', () => {
  async function filled(options = {}): Promise<Log> {
    const log = await openLog(system, {}, options);
    for (let index = 0; index < 30; index++) log.append(batch([`${index}a`, `${index}b`]), epoch);
    expect(log.segmentCount).toBeGreaterThan(2);
    return log;
  }

  it.each([
    ['from memory', {}],
    ['from disk', withoutTail],
  ])('returns whole batches %s, the one that holds the offset first', (_, options) =>
    sim.run(async () => {
      const log = await filled(options);
      for (let offset = 0; offset < 60; offset++) {
        const bytes = await log.read(offset, 200);
        const records = recordsOf(bytes);
        expect(records[0]!.offset).toBe(offset - (offset % 2));
        expect(bytes.length).toBeLessThanOrEqual(200);
      }
      expect(await log.read(60, 200)).toHaveLength(0);
    }),
  );

  it.each([
    ['from memory', {}],
    ['from disk', withoutTail],
  ])('obeys its limits %s', (_, options) =>
    sim.run(async () => {
      const log = await filled(options);
      const size = batch(['0a', '0b']).length;
      const read = async (offset: number, maxBytes: number, limits = {}) =>
        recordsOf(await log.read(offset, maxBytes, limits)).map((record) => record.offset);
      expect(await read(0, size - 1)).toEqual([0, 1]);
      expect(await read(0, 0)).toEqual([0, 1]);
      expect(await read(0, size - 1, { minOneBatch: false })).toEqual([]);
      expect(await read(1, size, { minOneBatch: false })).toEqual([0, 1]);
      expect(await read(2, 10_000, { maxOffset: 6 })).toEqual([2, 3, 4, 5]);
      expect(await read(2, 10_000, { maxOffset: 5 })).toEqual([2, 3]);
      expect(await read(2, 10_000, { maxOffset: 3 })).toEqual([]);
      expect(await read(2, 10_000, { maxOffset: 2 })).toEqual([]);
      expect(await codeOf(() => log.read(61, 100))).toBe('OFFSET_OUT_OF_RANGE');
      expect(await codeOf(() => log.read(-1, 100))).toBe('OFFSET_OUT_OF_RANGE');
    }),
  );

  it(
    'is synchronous where the batches are in memory',
    inSim(async () => {
      const log = await filled();
      expect(log.read(0, 100)).toBeInstanceOf(Buffer);
      expect(log.read(59, 100)).toBeInstanceOf(Buffer);
      const cold = await filled(withoutTail);
      expect(cold.read(0, 100)).toBeInstanceOf(Promise);
    }),
  );

  it(
    'leaves what was read alone when the memory is given to newer batches',
    inSim(async () => {
      const log = await openLog(
        system,
        { segmentBytes: 1 << 20 },
        { tail: new TailMemory(40_000) },
      );
      log.append(batch(['first']), epoch);
      const bytes = log.read(0, 100);
      for (let index = 0; index < 100; index++) {
        log.append(batch(['x'.repeat(2_000)]), epoch);
        await log.read(log.endOffset, 1);
      }
      expect(recordsOf(await bytes)[0]!.value).toBe('first');
      expect(log.read(0, 100)).toBeInstanceOf(Promise);
      expect(recordsOf(await log.read(0, 100))[0]!.value).toBe('first');
      expect(log.read(100, 100)).toBeInstanceOf(Buffer);
    }),
  );
});

describe('segments', () => {
  it(
    'are rolled by size, by time and when their index is full',
    inSim(async () => {
      const log = await openLog(system, { segmentBytes: 300, segmentMs: 1_000 });
      for (let index = 0; index < 6; index++) log.append(batch(['x'.repeat(50)]), epoch);
      expect(names('.log')).toEqual(['0', '2', '4'].map((base) => `${base.padStart(20, '0')}.log`));
      log.append(batch(['x'], { timestamp: 2_001 }), epoch);
      expect(log.segmentCount).toBe(4);
      await log.close();
      const small = await openLog(system, {
        segmentBytes: 1 << 20,
        indexIntervalBytes: 1,
        segmentIndexBytes: 120,
      });
      for (let index = 0; index < 30; index++) {
        small.append(batch(['x'], { timestamp: 3_000 + index }), epoch);
      }
      expect(small.segmentCount).toBeGreaterThan(6);
      expect(await valuesOf(small)).toHaveLength(37);
    }),
  );

  it(
    'have sparse indexes that are preallocated, and cut to size when they are sealed',
    inSim(async () => {
      const log = await openLog(system, { segmentIndexBytes: 512, indexIntervalBytes: 150 });
      for (let index = 0; index < 15; index++) {
        log.append(batch(['x'.repeat(30)], { timestamp: 1_000 + index }), epoch);
      }
      const [sealed, active] = names('.index').map((name) =>
        system.disk.readFileSync(join(directory, name)),
      );
      expect(active).toHaveLength(512);
      const size = batch(['x'.repeat(30)]).length;
      // An entry is due behind more than 150 bytes: with the third batch, the fifth, …
      const entries = Array.from({ length: sealed!.length / 8 }, (_, index) => [
        sealed!.readInt32BE(index * 8),
        sealed!.readInt32BE(index * 8 + 4),
      ]);
      expect(entries).toEqual([2, 4, 6, 8].map((offset) => [offset, offset * size]));
      const times = system.disk.readFileSync(join(directory, names('.timeindex')[0]!));
      expect(times.length / 12).toBe(5);
      expect(Number(times.readBigInt64BE(0))).toBe(1_002);
      expect(times.readInt32BE(8)).toBe(2);
    }),
  );
});

describe('times', () => {
  it(
    'lead to the first record at or after them, in every segment',
    inSim(async () => {
      const log = await openLog(system, { segmentBytes: 400 }, withoutTail);
      const times = [5, 10, 7, 20, 20, 15, 30, 25, 40, 50, 45, 60].map((time) => time * 100);
      for (const timestamp of times) log.append(batch(['x'.repeat(40)], { timestamp }), epoch);
      expect(log.segmentCount).toBeGreaterThan(2);
      for (let time = 0; time <= 6_100; time += 50) {
        const offset = times.findIndex((timestamp) => timestamp >= time);
        const expected =
          offset < 0 ? undefined : { offset, timestamp: times[offset], leaderEpoch: 0 };
        expect(await log.offsetForTimestamp(time)).toEqual(expected);
      }
      expect(await log.offsetForMaxTimestamp()).toMatchObject({ offset: 11, timestamp: 6_000 });
    }),
  );
});

describe('flush', () => {
  it(
    'shares one sync between all who wait while another runs',
    inSim(async () => {
      const log = await openLog(system);
      log.append(batch(['a']), epoch);
      const first = log.flush();
      log.append(batch(['b']), epoch);
      const second = log.flush();
      log.append(batch(['c']), epoch);
      const stepsBefore = system.steps;
      await Promise.all([first, second, log.flushed(3)]);
      expect(log.flushedOffset).toBe(3);
      const syncs = system.steps - stepsBefore;
      log.append(batch(['d']), epoch);
      await log.flush();
      expect(syncs).toBeLessThanOrEqual(8);
    }),
  );

  it(
    'is asked for by flush.messages, and begun after flush.ms',
    inSim(async () => {
      const log = await openLog(system, { flushMessages: 3, flushMs: 500 });
      expect(log.append(batch(['a', 'b']), epoch).flushFirst).toBe(false);
      const due = log.append(batch(['c']), epoch);
      expect(due.flushFirst).toBe(true);
      await log.flushed(due.lastOffset + 1);
      expect(log.flushedOffset).toBe(3);
      log.append(batch(['d']), epoch);
      await system.clock.sleep(490);
      expect(log.flushedOffset).toBe(3);
      await system.clock.sleep(20);
      expect(log.flushedOffset).toBe(4);
    }),
  );

  it(
    'that fails ends the log: what is on disk is not known any more',
    inSim(async () => {
      const log = await openLog(system);
      log.append(batch(['a']), epoch);
      const heal = sim.volume().inject(({ call }) => (call === 'sync' ? 'EIO' : undefined));
      expect(await codeOf(() => log.flush())).toBe('KAFKA_STORAGE_ERROR');
      heal();
      expect(await codeOf(() => log.append(batch(['b']), epoch))).toBe('KAFKA_STORAGE_ERROR');
      expect(await codeOf(() => log.flush())).toBe('KAFKA_STORAGE_ERROR');
      expect(await valuesOf(log)).toEqual(['a']);
      expect(await codeOf(() => log.close())).toBe('KAFKA_STORAGE_ERROR');
    }),
  );
});
