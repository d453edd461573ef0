import { readInt64 } from '../int64.js';
import { ProtocolError } from './error.js';

/** The id that stands for "no id": sixteen zero bytes. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

/** A cursor over one frame. Every length is checked against the bytes that remain before use. */
export class Reader {
  /** Next byte to read; never beyond `end`. */
  position: number;
  private readonly end: number;

  /** @param elementsLeft how many elements all arrays together may have */
  constructor(
    private readonly frame: Buffer,
    offset: number,
    end: number = frame.length,
    private elementsLeft: number = Number.POSITIVE_INFINITY,
  ) {
    if (offset < 0 || offset > end) {
      throw new ProtocolError('TRUNCATED', `a message cannot start at byte ${offset} of ${end}`);
    }
    this.position = offset;
    this.end = end;
  }

  /** Moves over `size` bytes and returns where they start. */
  private take(size: number): number {
    const start = this.position;
    if (size > this.end - start) {
      throw new ProtocolError(
        'TRUNCATED',
        `${size} bytes are announced at byte ${start}, but only ${this.end - start} follow`,
      );
    }
    this.position = start + size;
    return start;
  }

  bool(): boolean {
    return this.frame[this.take(1)] !== 0;
  }

  int8(): number {
    return this.frame.readInt8(this.take(1));
  }

  int16(): number {
    return this.frame.readInt16BE(this.take(2));
  }

  int32(): number {
    return this.frame.readInt32BE(this.take(4));
  }

  uint32(): number {
    return this.frame.readUInt32BE(this.take(4));
  }

  /** Beyond 2^53 the nearest `number`: see `readInt64`. */
  int64(): number {
    return readInt64(this.frame, this.take(8));
  }

  uuid(): string {
    const start = this.take(16);
    return this.frame.toString('base64url', start, start + 16);
  }

  /** An unsigned varint of at most 32 bits. */
  unsignedVarint(): number {
    let value = 0;
    let scale = 1;
    for (let bytes = 0; bytes < 5; bytes++) {
      const byte = this.frame[this.take(1)] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > 0xffffffff) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new ProtocolError('MALFORMED', `the varint before byte ${this.position} exceeds 32 bits`);
  }

  string(): string {
    return this.text(this.int16());
  }

  nullableString(): string | null {
    const size = this.int16();
    return size === -1 ? null : this.text(size);
  }

  compactString(): string {
    return this.text(this.unsignedVarint() - 1);
  }

  compactNullableString(): string | null {
    const size = this.unsignedVarint() - 1;
    return size === -1 ? null : this.text(size);
  }

  bytes(): Buffer {
    return this.slice(this.int32());
  }

  nullableBytes(): Buffer | null {
    const size = this.int32();
    return size === -1 ? null : this.slice(size);
  }

  compactBytes(): Buffer {
    return this.slice(this.unsignedVarint() - 1);
  }

  compactNullableBytes(): Buffer | null {
    const size = this.unsignedVarint() - 1;
    return size === -1 ? null : this.slice(size);
  }

  /** The number of elements, each of at least `minElementBytes`; -1 is null. */
  arrayLength(minElementBytes: number): number {
    return this.count(this.int32(), minElementBytes);
  }

  compactArrayLength(minElementBytes: number): number {
    return this.count(this.unsignedVarint() - 1, minElementBytes);
  }

  /** For a length of -1 where the schema allows no null. */
  missing(field: string): never {
    throw new ProtocolError('MALFORMED', `${field} is null, which its schema does not allow`);
  }

  /** Reads the size of a tagged field; returns where the field ends. */
  taggedEnd(): number {
    const size = this.unsignedVarint();
    const start = this.take(size);
    this.position = start;
    return start + size;
  }

  /** Leaves a tagged field, which must have been read in full. */
  closeTagged(end: number): void {
    if (this.position !== end) {
      throw new ProtocolError(
        'MALFORMED',
        `a tagged field ends at ${this.position}, not at ${end}`,
      );
    }
  }

  /** Skips tagged fields, all of them unknown. */
  skipTaggedFields(): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      this.unsignedVarint();
      this.position = this.taggedEnd();
    }
  }

  private text(size: number): string {
    if (size < 0) this.missing('a string');
    const start = this.take(size);
    return this.frame.toString('utf8', start, start + size);
  }

  private slice(size: number): Buffer {
    if (size < 0) this.missing('a byte field');
    const start = this.take(size);
    return this.frame.subarray(start, start + size);
  }

  private count(count: number, minElementBytes: number): number {
    if (count < -1 || count * minElementBytes > this.end - this.position) {
      throw new ProtocolError(
        'TRUNCATED',
        `${count} elements cannot follow in the ${this.end - this.position} bytes that are left`,
      );
    }
    if (count > 0) this.elementsLeft -= count;
    if (this.elementsLeft < 0) {
      throw new ProtocolError('TOO_LARGE', `the message has too many elements, ${count} at once`);
    }
    return count;
  }
}
