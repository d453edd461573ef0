import { createHash } from 'node:crypto';

/** How much content a mark covers at most, bytes. */
export const markBytes = 1024;

/** A few bytes of content, remembered by their hash. */
export interface Mark {
  /** 0 … `markBytes`. */
  readonly bytes: number;
  /** The first 16 hexadecimal digits of their SHA-256; empty for no bytes. */
  readonly hash: string;
}

/** The mark of nothing; agrees with everything. */
export const emptyMark: Mark = { bytes: 0, hash: '' };

/** The mark of `content` from `start` to `end`. */
export function markOf(content: Uint8Array, start: number, end: number): Mark {
  if (end <= start) return emptyMark;
  const hash = createHash('sha256').update(content.subarray(start, end)).digest('hex');
  return { bytes: end - start, hash: hash.slice(0, 16) };
}

/** Whether `content` holds the marked bytes at `start`. */
export function agrees(mark: Mark, content: Uint8Array, start: number): boolean {
  if (start < 0 || start + mark.bytes > content.length) return false;
  return markOf(content, start, start + mark.bytes).hash === mark.hash;
}
