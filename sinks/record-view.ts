import type { ViewedBytes } from './copy-bytes.js';

/**
 * One record, seen in place: positions into `bytes`. The same object serves record after record,
 * so nothing of it may be kept.
 */
export interface RecordView extends ViewedBytes {
  readonly bytes: Buffer;
  /** Nobody else looks at `bytes`: what lies before the next record may be overwritten. */
  readonly isScratch: boolean;
  readonly offset: number;
  /** Milliseconds since the epoch; -1 where the record has none. */
  readonly timestamp: number;
  readonly keyStart: number;
  /** -1: the key is null. */
  readonly keyEnd: number;
  readonly valueStart: number;
  /** -1: the value is null. */
  readonly valueEnd: number;
  /** Where the first header starts, behind the count. */
  readonly headersStart: number;
  readonly headersEnd: number;
  readonly headerCount: number;
}

/** Walks records; the fields describe the one that `next` found. */
export interface RecordWalk extends RecordView {
  next(): boolean;
}

/** Where a found header's value lies; filled by `findHeader`. */
export interface HeaderPosition {
  start: number;
  /** -1: the value is null. */
  end: number;
}

/**
 * Looks for a header by its name, without making strings. The record has been checked when it was
 * read, so lengths are trusted. Of several with the name the first counts.
 */
export function findHeader(record: RecordView, name: Buffer, found: HeaderPosition): boolean {
  const { bytes } = record;
  let at = record.headersStart;
  for (let i = 0; i < record.headerCount; i += 1) {
    const nameBytes = varintAt(bytes, at);
    const nameStart = at + varintBytes(bytes, at);
    const valueAt = nameStart + nameBytes;
    const valueBytes = varintAt(bytes, valueAt);
    const valueStart = valueAt + varintBytes(bytes, valueAt);
    if (nameBytes === name.length && bytes.compare(name, 0, nameBytes, nameStart, valueAt) === 0) {
      found.start = valueStart;
      found.end = valueBytes < 0 ? -1 : valueStart + valueBytes;
      return true;
    }
    at = valueBytes < 0 ? valueStart : valueStart + valueBytes;
  }
  return false;
}

/** All headers; values are views into the record's bytes. */
export function readRecordHeaders(record: RecordView): (readonly [string, Buffer | null])[] {
  const { bytes } = record;
  const headers: (readonly [string, Buffer | null])[] = [];
  let at = record.headersStart;
  for (let i = 0; i < record.headerCount; i += 1) {
    const nameStart = at + varintBytes(bytes, at);
    const valueAt = nameStart + varintAt(bytes, at);
    const name = bytes.toString('utf8', nameStart, valueAt);
    const valueBytes = varintAt(bytes, valueAt);
    const valueStart = valueAt + varintBytes(bytes, valueAt);
    at = valueBytes < 0 ? valueStart : valueStart + valueBytes;
    headers.push([name, valueBytes < 0 ? null : bytes.subarray(valueStart, at)]);
  }
  return headers;
}

/** Zigzag varint of 32 bits, as in Kafka's records. */
function varintAt(bytes: Buffer, position: number): number {
  let value = 0;
  let at = position;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
    at += 1;
  }
  return (value >>> 1) ^ -(value & 1);
}

function varintBytes(bytes: Buffer, position: number): number {
  let at = position;
  while ((bytes[at] ?? 0) >= 0x80) at += 1;
  return at - position + 1;
}
