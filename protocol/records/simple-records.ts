import { MIN_RECORD_BYTES } from './format.js';

/** Largest number in a varint of two bytes, of three and of four, as it is written (zigzag). */
const TWO_BYTES_MAX = 0x3fff;
const THREE_BYTES_MAX = 0x1fffff;
const FOUR_BYTES_MAX = 0xfffffff;
/** A varlong is not longer. */
const VARLONG_MAX_BYTES = 10;

/** The smallest and the largest timestamp delta that a walk met, milliseconds. */
export interface TimestampDeltas {
  oldest: number;
  newest: number;
}

/**
 * Whether `bytes[start..end)` is exactly `count` well-formed records with offset deltas 0, 1, 2 …,
 * without headers and smaller than 1 MiB. A broker looks at every record that comes in, and most
 * are like this: the answer takes a third of the time of a RecordCursor. No says only that a
 * RecordCursor has to look, which also knows what is wrong. `deltas` are right where it is yes.
 */
export function areSimpleRecords(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  deltas: TimestampDeltas,
): boolean {
  let at = start;
  deltas.oldest = Number.POSITIVE_INFINITY;
  deltas.newest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < count && at >= 0; index++) {
    at = behindSimpleRecord(bytes, at, end, index, deltas);
  }
  return at === end;
}

/** The signed number in `bytes[start..end)`, which is a whole varlong. */
function readVarlong(bytes: Uint8Array, start: number, end: number): number {
  let zigzag = 0;
  // The lowest bit is the sign: leaving it out keeps every safe integer exact.
  for (let at = end - 1; at > start; at--) zigzag = zigzag * 0x80 + ((bytes[at] as number) & 0x7f);
  const first = (bytes[start] as number) & 0x7f;
  const magnitude = zigzag * 0x40 + (first >>> 1);
  return (first & 1) === 0 ? magnitude : -magnitude - 1;
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
  deltas: TimestampDeltas,
): number {
  if (end - start < MIN_RECORD_BYTES) return -1;
  let at = start;
  let zigzag = bytes[at++] as number;
  if (zigzag > 0x7f) zigzag += ((bytes[at++] as number) << 7) - 0x80;
  if (zigzag > TWO_BYTES_MAX) zigzag += ((bytes[at++] as number) << 14) - (TWO_BYTES_MAX + 1);
  if (zigzag > THREE_BYTES_MAX || (zigzag & 1) !== 0) return -1;
  const recordEnd = at + (zigzag >>> 1);

  const timestampAt = ++at;
  zigzag = bytes[at++] as number;
  if (zigzag > 0x7f) zigzag += ((bytes[at++] as number) << 7) - 0x80;
  if (zigzag > TWO_BYTES_MAX) zigzag += ((bytes[at++] as number) << 14) - (TWO_BYTES_MAX + 1);
  if (zigzag > THREE_BYTES_MAX) zigzag += ((bytes[at++] as number) << 21) - (THREE_BYTES_MAX + 1);
  let delta = (zigzag >>> 1) ^ -(zigzag & 1);
  if (zigzag > FOUR_BYTES_MAX) {
    while ((bytes[at++] as number) > 0x7f);
    if (at - timestampAt > VARLONG_MAX_BYTES) return -1;
    delta = readVarlong(bytes, timestampAt, at);
  }
  if (delta < deltas.oldest) deltas.oldest = delta;
  if (delta > deltas.newest) deltas.newest = delta;

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
