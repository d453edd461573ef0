import { RecordsError } from './errors.js';
import { sizeOfVarint, type VarintReader, writeVarint } from './varint.js';

/** A record's header: its name and its bytes or null. Names may repeat; order is kept. */
export type Header = readonly [name: string, value: Uint8Array | null];
/** A header as it was read: the value is a view into the batch's memory. */
export type ReadHeader = readonly [name: string, value: Buffer | null];

/** Count and headers as they stand in a record, ready for `BatchWriter.tryAppend`. */
export function encodeHeaders(headers: readonly Header[]): Buffer {
  let size = sizeOfVarint(headers.length);
  for (const [name, value] of headers) {
    const nameBytes = Buffer.byteLength(name);
    size += sizeOfVarint(nameBytes) + nameBytes;
    size += value === null ? 1 : sizeOfVarint(value.length) + value.length;
  }
  const target = Buffer.allocUnsafe(size);
  let at = writeVarint(target, 0, headers.length);
  for (const [name, value] of headers) {
    at = writeVarint(target, at, Buffer.byteLength(name));
    at += target.write(name, at);
    at = writeVarint(target, at, value === null ? -1 : value.length);
    if (value === null) continue;
    target.set(value, at);
    at += value.length;
  }
  return target;
}

/** Reads `count` headers from where `reader` stands; they must end exactly at `end`. */
export function readHeaders(
  bytes: Buffer,
  reader: VarintReader,
  end: number,
  count: number,
): ReadHeader[] {
  const headers: ReadHeader[] = [];
  for (let i = 0; i < count; i++) {
    const nameEnd = lengthWithin(reader, end, 'name');
    if (nameEnd < 0) throw new RecordsError('MALFORMED', 'a record header has no name');
    const name = bytes.toString('utf8', reader.position, nameEnd);
    reader.position = nameEnd;
    const valueEnd = lengthWithin(reader, end, 'value');
    headers.push([name, valueEnd < 0 ? null : bytes.subarray(reader.position, valueEnd)]);
    if (valueEnd >= 0) reader.position = valueEnd;
  }
  if (reader.position !== end) {
    throw new RecordsError('MALFORMED', 'bytes are left over behind the headers of a record');
  }
  return headers;
}

/** Where the bytes end whose length is read next; -1 where they are null. */
function lengthWithin(reader: VarintReader, end: number, what: string): number {
  const length = reader.varint();
  if (length < -1 || length > end - reader.position) {
    throw new RecordsError('MALFORMED', `a header ${what} of ${length} bytes exceeds its record`);
  }
  return length < 0 ? -1 : reader.position + length;
}
