import { isUtf8 } from 'node:buffer';

/**
 * Names of files are bytes, and need not be UTF-8. A path here is a string all the same: each byte
 * that is no UTF-8 stands in it as U+DC00 plus the byte, a lone surrogate, which no text has
 * (Python's PEP 383). So a path can be compared, joined and stored as JSON like any string, and
 * still be turned into the very bytes it was.
 */
const loneByte = /[\udc80-\udcff]/u;
const loneBytes = /([\udc80-\udcff])/u;
const surrogate = 0xdc00;

/** Whether the path has bytes that are no UTF-8. */
export function hasForeignBytes(path: string): boolean {
  return loneByte.test(path);
}

/** The bytes of a path, or of a text that holds one. */
export function pathToBytes(path: string): Buffer {
  if (!hasForeignBytes(path)) return Buffer.from(path);
  const parts = path.split(loneBytes).map((part) => {
    const isByte = part.length === 1 && hasForeignBytes(part);
    return isByte ? Buffer.of(part.charCodeAt(0) - surrogate) : Buffer.from(part);
  });
  return Buffer.concat(parts);
}

/** The path that has these bytes. */
export function pathFromBytes(bytes: Buffer): string {
  const text = bytes.toString();
  // Without the sign for what cannot be decoded, all was.
  if (!text.includes('\ufffd')) return text;
  let path = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length > 0) path += bytes.toString('utf8', at, at + length);
    else path += String.fromCharCode(surrogate + bytes.readUInt8(at));
    at += Math.max(1, length);
  }
  return path;
}

/** For people: bytes that are no UTF-8 as `\xff`. */
export function printable(text: string): string {
  if (!hasForeignBytes(text)) return text;
  return text.replace(/[\udc80-\udcff]/gu, (byte) => {
    return `\\x${(byte.charCodeAt(0) - surrogate).toString(16)}`;
  });
}

/** Bytes of the UTF-8 sequence that begins here; 0 where none does. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes.readUInt8(at);
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const sequence = bytes.subarray(at, at + length);
  return sequence.length === length && isUtf8(sequence) ? length : 0;
}
