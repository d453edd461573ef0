import { type BatchHeader, loadCodec, RecordCursor } from '../protocol/records/index.js';
import type { Context } from './context.js';
import { ExitCode } from './failure.js';
import { printedRecord } from './record-text.js';
import { batchesOfSegment, type FoundBatch, segmentsBelow } from './segment-reader.js';

/** Options of `log dump`. */
export interface DumpOptions {
  readonly records?: boolean;
  readonly max?: number;
  readonly output: 'text' | 'json';
}

const LARGEST_BATCH_BYTES = 256 * 1024 * 1024;

/** `log dump`: the batches of segments, and their records, on stdout. */
export async function dump(
  { system, terminal }: Context,
  path: string,
  options: DumpOptions,
): Promise<number> {
  await loadCodec('zstd');
  let left = options.max ?? Number.POSITIVE_INFINITY;
  let faults = 0;
  for (const segment of segmentsBelow(system.disk, path)) {
    if (options.output === 'text') await terminal.data(`${segment}\n`);
    for (const found of batchesOfSegment(system.disk, segment)) {
      if (left-- <= 0) return ExitCode.done;
      if ('fault' in found) {
        terminal.say(`${segment}: byte ${found.position}: ${found.fault}`);
        faults++;
        break;
      }
      const json = options.output === 'json';
      const text = json ? batchJson(segment, found, options) : batchText(found, options);
      await terminal.data(text);
    }
  }
  return faults === 0 ? ExitCode.done : ExitCode.failed;
}

type Whole = Exclude<FoundBatch, { fault: string }>;

function* recordsOf({ bytes }: Whole) {
  const cursor = new RecordCursor();
  cursor.open(bytes, 0, LARGEST_BATCH_BYTES);
  while (cursor.next()) yield cursor;
}

function batchJson(segment: string, found: Whole, options: DumpOptions): string {
  const { header, position } = found;
  const lastOffset = header.baseOffset + header.lastOffsetDelta;
  const batch = { segment, position, lastOffset, ...header };
  if (options.records === false) return `${JSON.stringify(batch)}\n`;
  const records = Array.from(recordsOf(found), (cursor) => printedRecord(cursor, {}));
  return `${JSON.stringify({ ...batch, records })}\n`;
}

function batchText(found: Whole, options: DumpOptions): string {
  const { header, position } = found;
  let text = `${headerText(header, position)}\n`;
  if (options.records === false) return text;
  for (const cursor of recordsOf(found)) {
    const headers = cursor.headers().map(([name, value]) => `${name}=${value ?? ''}`);
    const key = cursor.key()?.toString() ?? 'null';
    const value = cursor.value()?.toString() ?? 'null';
    text += `  offset: ${cursor.offset} ${header.timestampType}: ${cursor.timestamp}`;
    text += ` headers: [${headers.join(', ')}] key: ${key} value: ${value}\n`;
  }
  return text;
}

function headerText(header: BatchHeader, position: number): string {
  const flags = [
    ...(header.isTransactional ? ['transactional'] : []),
    ...(header.isControl ? ['control'] : []),
  ];
  return [
    `baseOffset: ${header.baseOffset}`,
    `lastOffset: ${header.baseOffset + header.lastOffsetDelta}`,
    `count: ${header.recordCount}`,
    `position: ${position}`,
    `size: ${header.sizeBytes}`,
    `codec: ${header.codec}`,
    `${header.timestampType}: ${header.maxTimestamp}`,
    `leaderEpoch: ${header.partitionLeaderEpoch}`,
    `producerId: ${header.producerId}`,
    `producerEpoch: ${header.producerEpoch}`,
    `baseSequence: ${header.baseSequence}`,
    `crc: ${header.crc}`,
    ...flags,
  ].join(' ');
}
