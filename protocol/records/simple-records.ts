import { MIN_RECORD_BYTES } from './format.js';

/** Largest number in a varint of two bytes and in one of three, as it is written (zigzag). */
const TWO_BYTES_MAX = 0x3fff;
const THREE_BYTES_MAX = 0x1fffff;
/** A varlong is not longer. */
const VARLONG_MAX_BYTES = 10;

/**
 * Whether `bytes[start..end)` is exactly `count` well-formed records with offset deltas 0, 1, 2 …,
 * without headers and smaller than 1 MiB. A broker looks at every record that comes in, and most
 * are like this: the answer takes a third of the time of a RecordCursor. No says only that a
 * RecordCursor has to look, which also knows what is wrong.
 */
export function areSimpleRecords(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
): boolean {
  let at = start;
  for (let index = 0; index < count && at >= 0; index++) {
    at = behindSimpleRecord(bytes, at, end, index);
  }
  return at === end;
}

/**
 * Position behind the record at `start`, -1 where it is not a simple one. Varints are taken apart
 * in place: five calls a record would take as long as the rest. Where they lead beyond the record,
 * even beyond the bytes, the last line refuses what was read there; where the record leads beyond
 * `end`, its caller does.
 */
function behindSimpleRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  offsetDelta: number,
): number {
  if (end - start < MIN_RECORD_BYTES) return -1;
  let at = start;
  let zigzag = bytes[at++] as number;
  if (zigzag > 0x7f) zigzag += ((bytes[at++] as number) << 7) - 0x80;
  if (zigzag > TWO_BYTES_MAX) zigzag += ((bytes[at++] as number) << 14) - (TWO_BYTES_MAX + 1);
  if (zigzag > THREE_BYTES_MAX || (zigzag & 1) !== 0) return -1;
  const recordEnd = at + (zigzag >>> 1);

  const timestampAt = ++at;
  while ((bytes[at++] as number) > 0x7f);
  if (at - timestampAt > VARLONG_MAX_BYTES) return -1;

  zigzag = bytes[at++] as number;
  if (zigzag > 0x7f) zigzag += ((bytes[at++] as number) << 7) - 0x80;
  if (zigzag > TWO_BYTES_MAX) zigzag += ((bytes[at++] as number) << 14) - (TWO_BYTES_MAX + 1);
  if (zigzag > THREE_BYTES_MAX || zigzag !== offsetDelta * 2) return -1;

  for (let part = 0; part < 2; part++) {
    zigzag = bytes[at++] as number;
    if (zigzag > 0x7f) zigzag += ((bytes[at++] as number) << 7) - 0x80;
    if (zigzag > TWO_BYTES_MAX) zigzag += ((bytes[at++] as number) << 14) - (TWO_BYTES_MAX + 1);
    if (zigzag > THREE_BYTES_MAX) return -1;
    // 1 stands for -1: null.
    if ((zigzag & 1) === 0) at += zigzag >>> 1;
    else if (zigzag !== 1) return -1;
  }
  return bytes[at++] === 0 && at === recordEnd ? recordEnd : -1;
}
