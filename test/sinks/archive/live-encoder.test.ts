import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Codec } from '../../../protocol/records/index.js';
import type { ContentSettings } from '../../../sinks/archive/claims/index.js';
import { type EncodedFile, Encoder } from '../../../sinks/archive/encoder.js';
import { formats, madeOf } from '../../../sinks/archive/formats/index.js';
import { LiveEncoder, LiveFiles } from '../../../sinks/archive/live-encoder.js';
import { Spool } from '../../../sinks/archive/spool.js';
import { createSimSystem, type SimProcess } from '../../../system/sim/index.js';
import { fc } from '../../fast-check.js';
import { batchOver, cursorOver, type PlainRecord } from '../record-list.js';

const ID = { sink: 'a', cluster: 'c', topic: 't', topicId: 'i'.repeat(22), partition: 0 };
const HOUR = 3_600_000;
const LINES: ContentSettings = { format: 'lines', filePer: 'key', compression: 'none' };
const NO_LIMITS = { until: undefined, records: undefined, sizeBytes: Infinity };

const record: fc.Arbitrary<PlainRecord> = fc.record({
  timestamp: fc.constantFrom(0, HOUR, 2 * HOUR),
  key: fc.constantFrom(null, Buffer.from(''), Buffer.from('a'), Buffer.from('b'.repeat(200))),
  value: fc.option(
    fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    { nil: null },
  ),
  headers: fc.constantFrom(
    [],
    [],
    [],
    [['logflume.partial', null] as const],
    [['logflume.delimiter', Buffer.from('\r\n')] as const],
  ),
});
const codecs = fc.constantFrom<readonly [live: Codec, spooled: Codec]>(
  // Where they differ, one is put together in place and the other copied.
  ['lz4', 'none'],
  ['none', 'lz4'],
  ['gzip', 'gzip'],
);
const fetches = fc.array(fc.array(record, { minLength: 1, maxLength: 8 }), { minLength: 1 });
const settings = fc.record({
  format: fc.constantFrom('lines', 'jsonl', 'eml'),
  filePer: fc.constantFrom('key', 'partition'),
  compression: fc.constant('none'),
}) as fc.Arbitrary<ContentSettings>;

const made = madeOf(formats);

const cutOf = (settings: ContentSettings) => {
  const format = made.get(settings.format);
  if (format === undefined) throw new Error(`there is no format ${settings.format}`);
  return { id: ID, start: 0, settings, format };
};

interface Bench {
  readonly spool: Spool;
  readonly files: LiveFiles;
  readonly live: LiveEncoder;
}

async function begin(process: SimProcess, chosen: ContentSettings, free = 64): Promise<Bench> {
  const spool = await Spool.open(process, '/spool', 0, false);
  const encoder = new Encoder(process.disk, '/live', cutOf(chosen));
  await encoder.open();
  const files = new LiveFiles(free);
  return { spool, files, live: new LiveEncoder(encoder, chosen, files) };
}

function spoolAll(
  { spool, live }: Bench,
  all: readonly (readonly PlainRecord[])[],
  [liveCodec, spooledCodec]: readonly [Codec, Codec] = ['none', 'none'],
): void {
  for (const records of all) {
    const base = spool.level.position;
    const nextOffset = base + records.length;
    const batches = [batchOver(records, base, spooledCodec)];
    const cursor = cursorOver(records, base, liveCodec);
    spool.append({ records: cursor, batches, nextOffset }, NO_LIMITS, live);
  }
}

async function fromSpool(process: SimProcess, spool: Spool, chosen: ContentSettings) {
  const encoder = new Encoder(process.disk, '/later', cutOf(chosen));
  await encoder.open();
  const end = spool.level.position - 1;
  await encoder.readSpool(spool, end);
  return encoder.finish(end);
}

function contentOf(process: SimProcess, files: readonly EncodedFile[] | undefined) {
  return files?.map(({ path, ...file }) => ({ ...file, content: process.disk.readFileSync(path) }));
}

const inSim = async (test: (process: SimProcess) => Promise<void>): Promise<void> => {
  const sim = createSimSystem({ seed: 1 });
  await sim.run(test(sim.process('owner')));
};

describe('files built while reading', () => {
  it('are those that the spool gives', () =>
    fc.assert(
      fc.asyncProperty(fetches, settings, codecs, (all, chosen, codec) =>
        inSim(async (process) => {
          const bench = await begin(process, chosen, Infinity);
          spoolAll(bench, all, codec);
          const { spool, live } = bench;
          const files = await live.finish(spool.level, spool.level.position - 1, chosen);
          expect(files).toBeDefined();
          const expected = await fromSpool(process, spool, chosen);
          expect(contentOf(process, files)).toEqual(contentOf(process, expected));
        }),
      ),
      { numRuns: 40 },
    ));

  it('hold large batches, of one key and of several, between small ones', () =>
    inSim(async (process) => {
      const bench = await begin(process, LINES);
      const lines = (count: number, keys: number): PlainRecord[] =>
        Array.from({ length: count }, (_, i) => ({
          key: Buffer.from(`key ${i % keys}`),
          value: Buffer.from(`line ${i} `.repeat(20)),
        }));
      const all = [lines(3, 1), lines(2500, 1), lines(5, 2), lines(2500, 2), lines(2000, 1)];
      spoolAll(bench, all, ['lz4', 'lz4']);
      const { spool, live } = bench;
      const files = contentOf(process, await live.finish(spool.level, 7007, LINES));
      const contentOfKey = (key: string): Buffer => {
        const wanted = all.flat().filter((record) => record.key?.toString() === key);
        return Buffer.from(wanted.map(({ value }) => `${value}\n`).join(''));
      };
      expect(files).toHaveLength(2);
      for (const [i, { content, file }] of (files ?? []).entries()) {
        // A comparison that prints what differs would take seconds.
        expect(content.equals(contentOfKey(`key ${i}`))).toBe(true);
        expect(file.sha256).toBe(createHash('sha256').update(content).digest('hex'));
        expect(file.bytes).toBe(content.length);
      }
    }));

  it('are none where the spool, the end or the settings are others', () =>
    inSim(async (process) => {
      const records = [{ value: Buffer.from('x') }, { value: Buffer.from('y') }];
      const finish = async (change: (bench: Bench) => Promise<unknown>): Promise<void> => {
        const bench = await begin(process, LINES);
        spoolAll(bench, [records]);
        expect(await change(bench)).toBeUndefined();
        bench.spool.close();
        await process.disk.removeTree('/spool');
      };
      await finish(({ spool, live }) => live.finish(spool.level, 0, LINES));
      await finish(({ spool, live }) => live.finish(spool.level, 1, { ...LINES, format: 'jsonl' }));
      // As where a write to the spool failed, and the records came again.
      await finish(({ spool, live }) => {
        const cursor = cursorOver(records);
        cursor.next();
        live.take(cursor);
        return live.finish(spool.level, 1, LINES);
      });
    }));

  it('are no more than the sink may have, and free again at the end', () =>
    inSim(async (process) => {
      const bench = await begin(process, LINES, 2);
      const keyed = (key: string) => ({ key: Buffer.from(key), value: Buffer.from('x') });
      spoolAll(bench, [[keyed('a'), keyed('b'), keyed('c')]]);
      expect(await bench.live.finish(bench.spool.level, 2, LINES)).toBeUndefined();
      expect([bench.files.tryTake(), bench.files.tryTake(), bench.files.tryTake()]).toEqual([
        true,
        true,
        false,
      ]);
    }));
});
