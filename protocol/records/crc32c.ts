import { createRequire } from 'node:module';
import type * as Crc32 from '@node-rs/crc32';

const { crc32c: native } = createRequire(import.meta.url)('@node-rs/crc32') as typeof Crc32;

/** CRC-32C (Castagnoli) of `bytes[start..end)` behind bytes whose CRC is `before`, unsigned. */
export function crc32c(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  before: number | undefined = undefined,
): number {
  return native(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), before);
}
