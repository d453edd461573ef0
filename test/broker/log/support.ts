import {
  defaultLogSettings,
  Log,
  LogError,
  type LogErrorCode,
  type LogOptions,
  type LogSettings,
} from '../../../broker/log/index.js';
import {
  BatchWriter,
  batchesOf,
  type CloseOptions,
  RecordCursor,
} from '../../../protocol/records/index.js';
import type { System } from '../../../system/index.js';

export const directory = '/data/topic-0';

/** Small enough for a test to see rolls and indexes. */
export const smallSettings: LogSettings = {
  ...defaultLogSettings,
  segmentBytes: 1000,
  indexIntervalBytes: 200,
  segmentIndexBytes: 512,
  messageTimestampAfterMaxMs: Number.POSITIVE_INFINITY,
  retentionMs: -1,
};

export function openLog(
  system: System,
  settings: Partial<LogSettings> = {},
  options: LogOptions = {},
): Promise<Log> {
  return Log.open(system, directory, { ...smallSettings, ...settings }, options);
}

/** One batch with a record for each value. */
export function batch(
  values: readonly string[],
  options: Partial<CloseOptions> & { readonly timestamp?: number } = {},
): Buffer {
  const writer = new BatchWriter(1 << 20);
  const { timestamp = 1_000 } = options;
  for (const value of values) {
    const bytes = Buffer.from(value);
    writer.tryAppend(timestamp, null, 0, 0, bytes, 0, bytes.length, null);
  }
  const plain = { codec: 'none', producerId: -1, producerEpoch: -1, baseSequence: -1 } as const;
  return Buffer.from(writer.close({ ...plain, ...options }));
}

export interface ReadRecord {
  readonly offset: number;
  readonly value: string;
  readonly timestamp: number;
}

/** The records in whole batches. */
export function recordsOf(batches: Buffer): ReadRecord[] {
  const records: ReadRecord[] = [];
  const cursor = new RecordCursor();
  for (let at = 0; at < batches.length; ) {
    cursor.open(batches, at, 1 << 20);
    while (cursor.next()) {
      const { offset, timestamp } = cursor;
      records.push({ offset, value: String(cursor.value()), timestamp });
    }
    at += cursor.batch?.sizeBytes ?? Number.NaN;
  }
  return records;
}

/** Everything readable from `from` on, read in pieces of `maxBytes`. */
export async function readAll(
  log: Log,
  from = log.startOffset,
  maxBytes = 300,
): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  for (let offset = from; offset < log.endOffset; ) {
    const bytes = await log.read(offset, maxBytes);
    const last = [...batchesOf(bytes)].at(-1);
    if (last === undefined) break;
    records.push(...recordsOf(bytes).filter((record) => record.offset >= offset));
    offset = last.baseOffset + last.lastOffsetDelta + 1;
  }
  return records;
}

export async function valuesOf(log: Log, from?: number, maxBytes?: number): Promise<string[]> {
  return (await readAll(log, from, maxBytes)).map(({ value }) => value);
}

/** The code of the LogError that `call` throws or rejects with. */
export async function codeOf(call: () => unknown): Promise<LogErrorCode | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (error instanceof LogError) return error.code;
    throw error;
  }
}
