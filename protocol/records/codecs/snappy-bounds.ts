import { malformed, truncated } from './codec.js';

const WORD_BYTES = 4;

/**
 * The size of a raw snappy block's content, bytes. Walks all its tags without decompressing and
 * checks every length: the decoders trust their input (one of them hangs, the other allocates
 * what the preamble says).
 */
export function snappyContentBytes(input: Uint8Array): number {
  let at = 0;
  let claimed = 0;
  let scale = 1;
  let byte: number;
  do {
    if (at >= input.length) throw truncated('snappy');
    if (at > WORD_BYTES) throw malformed('snappy', 'its size is no 32-bit number');
    byte = input[at++] as number;
    claimed += (byte & 0x7f) * scale;
    scale *= 0x80;
  } while (byte > 0x7f);
  const actual = measureTags(input, at);
  if (actual !== claimed) throw malformed('snappy', `${actual} bytes where it says ${claimed}`);
  return actual;
}

/** Adds up literals and copies; copies must point back into what is there already. */
function measureTags(input: Uint8Array, start: number): number {
  let at = start;
  let total = 0;
  while (at < input.length) {
    const tag = input[at++] as number;
    const kind = tag & 0x03;
    if (kind === 0) {
      let length = (tag >> 2) + 1;
      if (length > 60) {
        const lengthBytes = length - 60;
        length = littleEndian(input, at, lengthBytes) + 1;
        at += lengthBytes;
      }
      at += length;
      total += length;
      if (at > input.length) throw truncated('snappy');
      continue;
    }
    const distanceBytes = kind === 3 ? WORD_BYTES : kind;
    const low = littleEndian(input, at, distanceBytes);
    const distance = kind === 1 ? low + ((tag >> 5) << 8) : low;
    if (distance === 0 || distance > total) throw malformed('snappy', 'a copy points nowhere');
    at += distanceBytes;
    total += kind === 1 ? ((tag >> 2) & 0x07) + 4 : (tag >> 2) + 1;
  }
  return total;
}

function littleEndian(input: Uint8Array, at: number, size: number): number {
  if (at + size > input.length) throw truncated('snappy');
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 0x100 + (input[at + i] as number);
  return value;
}
