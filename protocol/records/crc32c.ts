import { crc32c as native } from '@node-rs/crc32';

/** CRC-32C (Castagnoli) of `bytes[start..end)`, unsigned. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return native(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
}
