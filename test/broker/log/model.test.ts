import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Log, TailMemory } from '../../../broker/log/index.js';
import { createSimSystem, type Simulation } from '../../../system/sim/index.js';
import { batch, openLog, recordsOf } from './support.js';

/** One record as the model remembers it. */
interface ModelRecord {
  readonly offset: number;
  readonly value: string;
  readonly timestamp: number;
  /** First offset of its batch. */
  readonly batchStart: number;
}

/** What a log is, in the simplest words. */
interface Model {
  records: ModelRecord[];
  start: number;
  end: number;
}

type Step = (world: { sim: Simulation; model: Model; log: Log }) => Promise<Log>;

const settings = { segmentBytes: 700, indexIntervalBytes: 150, fileDeleteDelayMs: 100 };
const options = { tail: new TailMemory(20_000) };
let clockMs = 1_000;

const append = fc
  .record({
    sizes: fc.array(fc.array(fc.nat(90), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 3,
    }),
    skew: fc.nat(20),
  })
  .map(
    ({ sizes, skew }): Step =>
      async ({ model, log }) => {
        const buffers = sizes.map((lengths) => {
          const timestamp = ++clockMs - skew;
          const values = lengths.map(
            (length, index) => `${model.end + index}:${'v'.repeat(length)}`,
          );
          const batchStart = model.end;
          for (const value of values) {
            model.records.push({ offset: model.end++, value, timestamp, batchStart });
          }
          return batch(values, { timestamp });
        });
        const together = Buffer.concat(buffers);
        const fits = together.length <= log.settings.segmentBytes;
        for (const bytes of fits ? [together] : buffers) log.append(bytes, { leaderEpoch: 0 });
        expect(log.endOffset).toBe(model.end);
        return log;
      },
  );

const read = fc
  .record({ at: fc.nat(1_000), maxBytes: fc.nat(1_500), limit: fc.nat(1_000), one: fc.boolean() })
  .map(
    ({ at, maxBytes, limit, one }): Step =>
      async ({ model, log }) => {
        const span = model.end - model.start + 1;
        const offset = model.start + (at % span);
        const maxOffset = model.start + (limit % span);
        const bytes = await log.read(offset, maxBytes, { maxOffset, minOneBatch: one });
        const found = recordsOf(bytes);
        const first = model.records.findIndex((record) => record.offset >= offset);
        const from = model.records.findIndex(
          (record) => record.batchStart === model.records[first]?.batchStart,
        );
        const expected = model.records.slice(from, from + found.length);
        expect(found).toEqual(
          expected.map(({ offset, value, timestamp }) => ({ offset, value, timestamp })),
        );
        for (const record of found) expect(record.offset).toBeLessThan(maxOffset);
        const batches = new Set(expected.map(({ batchStart }) => batchStart)).size;
        if (bytes.length > maxBytes) expect([batches, one]).toEqual([1, true]);
        const wholeBatch = model.records.filter(
          ({ batchStart }) => batchStart === model.records[first]?.batchStart,
        );
        const readable = offset < maxOffset && (wholeBatch.at(-1)?.offset ?? maxOffset) < maxOffset;
        if (one && readable) expect(found.length).toBeGreaterThan(0);
        return log;
      },
  );

const readToEnd: Step = async ({ model, log }) => {
  const found = [];
  for (let offset = model.start; offset < model.end; offset = (found.at(-1)?.offset ?? 0) + 1) {
    const records = recordsOf(await log.read(offset, 400));
    expect(records.length).toBeGreaterThan(0);
    found.push(...records.filter((record) => record.offset >= offset));
  }
  const expected = model.records.filter(({ offset }) => offset >= model.start);
  expect(found.map(({ value }) => value)).toEqual(expected.map(({ value }) => value));
  return log;
};

const findTime = fc.nat(400).map(
  (back): Step =>
    async ({ model, log }) => {
      const time = clockMs - back;
      const expected = model.records.find(
        ({ offset, timestamp }) => offset >= model.start && timestamp >= time,
      );
      const found = await log.offsetForTimestamp(time);
      expect(found?.offset).toBe(expected?.offset);
      return log;
    },
);

const truncate = fc.nat(1_000).map(
  (at): Step =>
    async ({ model, log }) => {
      const cut = model.start + (at % (model.end - model.start + 1));
      await log.truncateTo(cut);
      const holding = model.records.find(({ offset }) => offset === cut);
      const end = holding?.batchStart ?? cut;
      // The start may lie within the batch that went.
      if (end < model.start) model.start = Math.min(model.start, log.endOffset);
      model.records = model.records.filter(({ offset }) => offset < end);
      model.end = end;
      expect(log.endOffset).toBe(end);
      model.start = Math.min(model.start, end);
      expect(log.startOffset).toBe(model.start);
      return log;
    },
);

const deleteBefore = fc.nat(1_000).map(
  (at): Step =>
    async ({ model, log }) => {
      model.start += at % (model.end - model.start + 1);
      expect(await log.deleteBefore(model.start)).toBe(model.start);
      return log;
    },
);

const flush: Step = async ({ log }) => {
  await log.flush();
  return log;
};

const restart = fc.boolean().map(
  (clean): Step =>
    async ({ sim, model, log }) => {
      const { start: startOffset } = model;
      const recoveryPoint = log.flushedOffset;
      if (clean) {
        await log.close();
        return openLog(sim.process('broker'), settings, {
          ...options,
          clean,
          recoveryPoint: log.flushedOffset,
          startOffset,
        });
      }
      sim.process('broker').kill();
      return openLog(sim.process('broker'), settings, { ...options, recoveryPoint, startOffset });
    },
);

const steps = fc.array(
  fc.oneof(
    { arbitrary: append, weight: 8 },
    { arbitrary: read, weight: 8 },
    { arbitrary: fc.constant(readToEnd), weight: 2 },
    { arbitrary: findTime, weight: 3 },
    { arbitrary: truncate, weight: 1 },
    { arbitrary: deleteBefore, weight: 1 },
    { arbitrary: fc.constant(flush), weight: 2 },
    { arbitrary: restart, weight: 2 },
  ),
  { minLength: 5, maxLength: 60 },
);

it('is what its model says, whatever is done with it', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(), async (list, seed) => {
      const sim = createSimSystem({ seed });
      const model: Model = { records: [], start: 0, end: 0 };
      await sim.run(async () => {
        let log = await openLog(sim.process('broker'), settings, options);
        for (const step of [...list, readToEnd]) log = await step({ sim, model, log });
      });
    }),
    { numRuns: 40 },
  );
});
