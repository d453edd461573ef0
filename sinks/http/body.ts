import { ByteWriter } from '../byte-writer.js';
import { writeRecordJson } from '../record-json.js';
import { ChunkCursor } from '../spool-format.js';

/** How records become the body of a request. */
export type BodyFormat = 'json' | 'ndjson' | 'lines';

/** What the `Content-Type` header says of each format. */
export const contentTypes: Readonly<Record<BodyFormat, string>> = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  lines: 'text/plain; charset=utf-8',
};

const LINE_FEED = 0x0a;

/** The records of a chunk from `start` to `end` as one body: the same bytes each time. */
export function encodeBody(
  chunk: Buffer,
  format: BodyFormat,
  origin: { readonly topic: string; readonly partition: number },
  start: number,
  end: number,
): Buffer {
  const out = new ByteWriter(chunk.length);
  const records = new ChunkCursor();
  records.open(chunk);
  let isFirst = true;
  if (format === 'json') out.text('[');
  while (records.next()) {
    if (records.offset < start || records.offset > end) continue;
    if (format === 'lines') {
      const { valueStart, valueEnd } = records;
      if (valueEnd > valueStart) out.copy(records, valueStart, valueEnd);
    } else {
      if (format === 'json' && !isFirst) out.text(',');
      writeRecordJson(out, origin, records);
    }
    if (format !== 'json') out.byte(LINE_FEED);
    isFirst = false;
  }
  if (format === 'json') out.text(']');
  return out.view();
}

/** The offsets of a chunk's records, in order. */
export function offsetsOf(chunk: Buffer): number[] {
  const records = new ChunkCursor();
  records.open(chunk);
  const offsets: number[] = [];
  while (records.next()) offsets.push(records.offset);
  return offsets;
}
