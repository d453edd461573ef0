import { isInt64, writeInt64 } from '../int64.js';
import { ProtocolError } from './error.js';
import { Scratch } from './scratch.js';

/** The longest string with an int16 for its length, bytes. */
const MAX_STRING_BYTES = 0x7fff;
/** Byte fields up to this size are copied; larger ones travel as slices of their own. */
const MAX_COPIED_BYTES = 1024;

/**
 * Builds one message in memory that the next one uses again, then copies it out in one allocation.
 * Large byte fields are not copied: they become slices between those of the message.
 */
export class Writer {
  private readonly scratch = new Scratch();
  /** Where in the message each uncopied slice belongs. */
  private cuts: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  /** Above 0 inside tagged fields, whose sizes are patched afterwards: all bytes are copied. */
  private taggedDepth = 0;

  /** Starts a message; what an earlier one left behind is dropped. */
  begin(): void {
    this.scratch.clear();
    this.cuts = [];
    this.taggedDepth = 0;
  }

  /** Starts a message that begins with an int32 for its own length. */
  beginFrame(): void {
    this.begin();
    this.int32(0);
  }

  /** Ends the message. The slices own their memory or are the caller's byte fields. */
  finish(): Uint8Array[] {
    const message = this.scratch.copyOut();
    if (this.cuts.length === 0) return [message];
    const slices: Uint8Array[] = [];
    let start = 0;
    for (const cut of this.cuts) {
      if (cut.at > start) slices.push(message.subarray(start, cut.at));
      slices.push(cut.bytes);
      start = cut.at;
    }
    if (message.length > start) slices.push(message.subarray(start));
    this.cuts = [];
    return slices;
  }

  /** Ends what `beginFrame` began. */
  finishFrame(): Uint8Array[] {
    const slices = this.finish();
    const size = slices.reduce((sum, { length }) => sum + length, 0);
    (slices[0] as Buffer).writeInt32BE(size - 4, 0);
    return slices;
  }

  bool(value: boolean): void {
    this.scratch.take(1)[this.scratch.start] = value ? 1 : 0;
  }

  int8(value: number): void {
    this.scratch.take(1).writeInt8(value, this.scratch.start);
  }

  int16(value: number): void {
    this.scratch.take(2).writeInt16BE(value, this.scratch.start);
  }

  int32(value: number): void {
    this.scratch.take(4).writeInt32BE(value, this.scratch.start);
  }

  uint32(value: number): void {
    this.scratch.take(4).writeUInt32BE(value, this.scratch.start);
  }

  int64(value: number): void {
    if (!isInt64(value)) throw new ProtocolError('OUT_OF_RANGE', `${value} is no int64`);
    writeInt64(this.scratch.take(8), this.scratch.start, value);
  }

  uuid(value: string): void {
    const written = this.scratch.take(16).write(value, this.scratch.start, 16, 'base64url');
    if (value.length !== 22 || written !== 16) {
      throw new ProtocolError('OUT_OF_RANGE', `'${value}' is no id of 22 base64url characters`);
    }
  }

  unsignedVarint(value: number): void {
    putUnsignedVarint(this.scratch.take(sizeOfUnsignedVarint(value)), this.scratch.start, value);
  }

  string(value: string): void {
    const size = Buffer.byteLength(value);
    if (size > MAX_STRING_BYTES) {
      const what = `a string of ${size} bytes exceeds ${MAX_STRING_BYTES}`;
      throw new ProtocolError('OUT_OF_RANGE', what);
    }
    this.int16(size);
    this.scratch.take(size).write(value, this.scratch.start);
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1);
    else this.string(value);
  }

  compactString(value: string): void {
    const size = Buffer.byteLength(value);
    this.unsignedVarint(size + 1);
    this.scratch.take(size).write(value, this.scratch.start);
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
    this.scratch.take(1);
    return this.scratch.start;
  }

  /** Puts the size before the tagged field; nearly always it fits the one byte kept for it. */
  endTagged(mark: number): void {
    this.taggedDepth--;
    const from = mark + 1;
    const end = this.scratch.length;
    const extra = sizeOfUnsignedVarint(end - from) - 1;
    const memory = this.scratch.take(extra);
    if (extra > 0) memory.copyWithin(from + extra, from, end);
    putUnsignedVarint(memory, mark, end - from);
  }

  private slice(bytes: Uint8Array): void {
    if (bytes.length <= MAX_COPIED_BYTES || this.taggedDepth > 0) {
      this.scratch.take(bytes.length).set(bytes, this.scratch.start);
    } else {
      this.cuts.push({ at: this.scratch.length, bytes });
    }
  }
}

function sizeOfUnsignedVarint(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}

function putUnsignedVarint(memory: Buffer, start: number, value: number): void {
  let at = start;
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) memory[at++] = (rest & 0x7f) | 0x80;
  memory[at] = rest;
}
