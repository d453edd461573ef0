import { RecordsError } from './errors.js';

/** Zigzag varints of records: at most 5 bytes for 32 bits, 10 for 64. */
const MAX_VARINT_SHIFT = 28;
const MAX_VARLONG_BYTES = 10;
const TWO_POW_27 = 2 ** 27;

/** Bytes that `value`, a signed 32-bit integer, takes as a varint. */
export function sizeOfVarint(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x200000) return 3;
  return zigzag < 0x10000000 ? 4 : 5;
}

/** Writes a signed 32-bit integer at `position`; returns the position behind it. */
export function writeVarint(target: Uint8Array, position: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  let at = position;
  if (zigzag < 0x80) {
    target[at] = zigzag;
    return at + 1;
  }
  while (zigzag > 0x7f) {
    target[at++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  target[at++] = zigzag;
  return at;
}

/** Bytes that `value`, a safe integer, takes as a varlong. */
export function sizeOfVarlong(value: number): number {
  if (value === value >> 0) return sizeOfVarint(value);
  let magnitude = value < 0 ? -(value + 1) : value;
  let size = 1;
  // The zigzag form is 2 × magnitude (+ 1), which leaves six bits for the first byte.
  magnitude = Math.floor(magnitude / 0x40);
  while (magnitude > 0) {
    magnitude = Math.floor(magnitude / 0x80);
    size++;
  }
  return size;
}

/** Writes a safe integer as a varlong at `position`; returns the position behind it. */
export function writeVarlong(target: Uint8Array, position: number, value: number): number {
  if (value === value >> 0) return writeVarint(target, position, value);
  const negative = value < 0;
  let magnitude = negative ? -(value + 1) : value;
  let at = position;
  let low = ((magnitude % 0x40) << 1) | (negative ? 1 : 0);
  magnitude = Math.floor(magnitude / 0x40);
  while (magnitude > 0) {
    target[at++] = low | 0x80;
    low = magnitude % 0x80;
    magnitude = Math.floor(magnitude / 0x80);
  }
  target[at++] = low;
  return at;
}

/**
 * Reads varints one behind the other within a range; every read is checked against its end.
 * One object serves any number of ranges, so that reading allocates nothing.
 */
export class VarintReader {
  position = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private end = 0;

  open(bytes: Uint8Array, position: number, end: number): void {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  /** A signed 32-bit integer. */
  varint(): number {
    const { bytes, end, position } = this;
    // Most are of one or two bytes, and worth the lines: a record has five.
    if (position + 1 < end) {
      const first = bytes[position] as number;
      if (first < 0x80) {
        this.position = position + 1;
        return (first >>> 1) ^ -(first & 1);
      }
      const second = bytes[position + 1] as number;
      if (second < 0x80) {
        this.position = position + 2;
        const zigzag = (first & 0x7f) | (second << 7);
        return (zigzag >>> 1) ^ -(zigzag & 1);
      }
    }
    return this.anyVarint();
  }

  private anyVarint(): number {
    const bytes = this.bytes;
    let at = this.position;
    if (at >= this.end) throw truncated();
    let byte = bytes[at++] as number;
    let zigzag = byte & 0x7f;
    let shift = 7;
    while (byte > 0x7f) {
      if (at >= this.end) throw truncated();
      if (shift > MAX_VARINT_SHIFT) throw tooLong('varint', 5);
      byte = bytes[at++] as number;
      zigzag |= (byte & 0x7f) << shift;
      shift += 7;
    }
    this.position = at;
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  /** A signed 64-bit integer; beyond 2^53 it loses its lowest bits. */
  varlong(): number {
    const bytes = this.bytes;
    let at = this.position;
    if (at >= this.end) throw truncated();
    let byte = bytes[at++] as number;
    let low = byte & 0x7f;
    let shift = 7;
    while (byte > 0x7f && shift < MAX_VARINT_SHIFT) {
      if (at >= this.end) throw truncated();
      byte = bytes[at++] as number;
      low |= (byte & 0x7f) << shift;
      shift += 7;
    }
    // The lowest bit is the sign: leaving it out keeps every safe integer exact.
    let magnitude = low >>> 1;
    let scale = TWO_POW_27;
    while (byte > 0x7f) {
      if (at >= this.end) throw truncated();
      if (at - this.position >= MAX_VARLONG_BYTES) throw tooLong('varlong', MAX_VARLONG_BYTES);
      byte = bytes[at++] as number;
      magnitude += (byte & 0x7f) * scale;
      scale *= 0x80;
    }
    this.position = at;
    return (low & 1) === 0 ? magnitude : -magnitude - 1;
  }
}

function truncated(): RecordsError {
  return new RecordsError('TRUNCATED', 'the record batch ends within a number');
}

function tooLong(kind: string, maxBytes: number): RecordsError {
  return new RecordsError(
    'MALFORMED',
    `a ${kind} in a record batch is longer than ${maxBytes} bytes`,
  );
}
