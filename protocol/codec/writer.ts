import { ProtocolError } from './error.js';
import { LONG_MAX } from './reader.js';

/** Byte fields up to this size are copied; larger ones travel as slices of their own. */
const MAX_COPIED_BYTES = 1024;
const INITIAL_BYTES = 16 * 1024;
/** A scratch buffer that grew beyond this is given back after the message. */
const MAX_KEPT_BYTES = 1024 * 1024;

/**
 * Builds one message in a scratch buffer that is reused by the next, then copies it out in one
 * allocation. Large byte fields are not copied: they become slices between those of the message.
 */
export class Writer {
  private scratch: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  private at = 0;
  /** Where in the scratch buffer each uncopied slice belongs. */
  private cuts: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  private cutBytes = 0;
  /** Above 0 inside tagged fields, whose sizes are patched afterwards: all bytes are copied. */
  private taggedDepth = 0;

  /** Starts a message; what an earlier one left behind is dropped. */
  begin(): void {
    this.at = 0;
    this.cuts = [];
    this.cutBytes = 0;
    this.taggedDepth = 0;
  }

  /** Ends the message. The slices own their memory or are the caller's byte fields. */
  finish(): Uint8Array[] {
    const message = Buffer.allocUnsafe(this.at);
    this.scratch.copy(message, 0, 0, this.at);
    if (this.scratch.length > MAX_KEPT_BYTES) {
      this.scratch = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    }
    if (this.cuts.length === 0) return [message];
    const slices: Uint8Array[] = [];
    let start = 0;
    for (const cut of this.cuts) {
      if (cut.at > start) slices.push(message.subarray(start, cut.at));
      slices.push(cut.bytes);
      start = cut.at;
    }
    if (this.at > start) slices.push(message.subarray(start));
    this.cuts = [];
    return slices;
  }

  /** Ends a message that began with an int32 for its own length. */
  finishFrame(): Uint8Array[] {
    this.scratch.writeInt32BE(this.at + this.cutBytes - 4, 0);
    return this.finish();
  }

  /** Makes room for `size` bytes and returns where they start. */
  private room(size: number): number {
    const start = this.at;
    const end = start + size;
    if (end > this.scratch.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, this.scratch.length * 2));
      this.scratch.copy(larger, 0, 0, start);
      this.scratch = larger;
    }
    this.at = end;
    return start;
  }

  bool(value: boolean): void {
    this.scratch[this.room(1)] = value ? 1 : 0;
  }

  int8(value: number): void {
    const start = this.room(1);
    this.scratch.writeInt8(value, start);
  }

  int16(value: number): void {
    const start = this.room(2);
    this.scratch.writeInt16BE(value, start);
  }

  int32(value: number): void {
    const start = this.room(4);
    this.scratch.writeInt32BE(value, start);
  }

  uint32(value: number): void {
    const start = this.room(4);
    this.scratch.writeUInt32BE(value, start);
  }

  int64(value: number): void {
    const start = this.room(8);
    if (value === LONG_MAX) {
      this.scratch.writeInt32BE(0x7fffffff, start);
      this.scratch.writeUInt32BE(0xffffffff, start + 4);
    } else if (Number.isSafeInteger(value)) {
      this.scratch.writeInt32BE(Math.floor(value / 0x1_0000_0000), start);
      this.scratch.writeUInt32BE(value >>> 0, start + 4);
    } else {
      throw new ProtocolError('OUT_OF_RANGE', `${value} is no integer within 2^53`);
    }
  }

  uuid(value: string): void {
    const start = this.room(16);
    if (value.length !== 22 || this.scratch.write(value, start, 16, 'base64url') !== 16) {
      throw new ProtocolError('OUT_OF_RANGE', `'${value}' is no id of 22 base64url characters`);
    }
  }

  unsignedVarint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.scratch[this.room(1)] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.scratch[this.room(1)] = rest;
  }

  string(value: string): void {
    const size = Buffer.byteLength(value);
    if (size > 0x7fff) {
      throw new ProtocolError('OUT_OF_RANGE', `a string of ${size} bytes exceeds 32767`);
    }
    this.int16(size);
    this.scratch.write(value, this.room(size));
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1);
    else this.string(value);
  }

  compactString(value: string): void {
    const size = Buffer.byteLength(value);
    this.unsignedVarint(size + 1);
    this.scratch.write(value, this.room(size));
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.unsignedVarint(0);
    else this.compactString(value);
  }

  bytes(value: Uint8Array): void {
    this.int32(value.length);
    this.slice(value);
  }

  nullableBytes(value: Uint8Array | null): void {
    if (value === null) this.int32(-1);
    else this.bytes(value);
  }

  compactBytes(value: Uint8Array): void {
    this.unsignedVarint(value.length + 1);
    this.slice(value);
  }

  compactNullableBytes(value: Uint8Array | null): void {
    if (value === null) this.unsignedVarint(0);
    else this.compactBytes(value);
  }

  /** -1 stands for null. */
  arrayLength(count: number): void {
    this.int32(count);
  }

  compactArrayLength(count: number): void {
    this.unsignedVarint(count + 1);
  }

  /** For a null where this version of the schema allows none. */
  missing(field: string): never {
    throw new ProtocolError('OUT_OF_RANGE', `${field} must not be null in this version`);
  }

  /** Starts a tagged field; returns what `endTagged` needs. */
  beginTagged(tag: number): number {
    this.unsignedVarint(tag);
    this.taggedDepth++;
    return this.room(1);
  }

  /** Puts the size before the tagged field; nearly always it fits the one byte kept for it. */
  endTagged(mark: number): void {
    this.taggedDepth--;
    const size = this.at - mark - 1;
    let extra = 0;
    for (let rest = size; rest > 0x7f; rest = Math.floor(rest / 128)) extra++;
    this.room(extra);
    if (extra > 0) this.scratch.copyWithin(mark + 1 + extra, mark + 1, mark + 1 + size);
    const end = this.at;
    this.at = mark;
    this.unsignedVarint(size);
    this.at = end;
  }

  private slice(bytes: Uint8Array): void {
    if (bytes.length <= MAX_COPIED_BYTES || this.taggedDepth > 0) {
      const start = this.room(bytes.length);
      this.scratch.set(bytes, start);
    } else {
      this.cuts.push({ at: this.at, bytes });
      this.cutBytes += bytes.length;
    }
  }
}
