/**
 * Java's Long.MAX_VALUE as Kafka uses it ("no limit"): the nearest `number`, which no other int64
 * has than those within 512 of it.
 */
export const LONG_MAX = 2 ** 63;
const LONG_MIN = -(2 ** 63);
const TWO_POW_32 = 0x1_0000_0000;

/**
 * A signed 64-bit integer as `number`: exact up to 2^53, beyond it the nearest double, so that
 * `read(write(x)) = x` for every integer that a `number` can be. Offsets, ids and milliseconds stay
 * far below; what lies beyond is a sentinel, nanoseconds or nonsense, which keeps sign and size.
 */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * TWO_POW_32 + bytes.readUInt32BE(at + 4);
}

/** Whether `writeInt64` takes it: an integer from -2^63 to LONG_MAX. */
export function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= LONG_MIN && value <= LONG_MAX;
}

/** Writes what `isInt64` says yes to. */
export function writeInt64(bytes: Buffer, at: number, value: number): void {
  if (value === LONG_MAX) {
    bytes.writeInt32BE(0x7fffffff, at);
    bytes.writeUInt32BE(0xffffffff, at + 4);
  } else {
    bytes.writeInt32BE(Math.floor(value / TWO_POW_32), at);
    bytes.writeUInt32BE(value >>> 0, at + 4);
  }
}
