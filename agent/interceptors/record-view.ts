import { isUtf8 } from 'node:buffer';
import type { Header } from '../../protocol/records/index.js';

const beyondLatin1 = /[\u0100-\uffff]/;

/**
 * The record that passes the interceptors: one object, used again for each. Its value stays bytes
 * until one of them asks for text. Text is UTF-8 where the bytes are, else one character a byte
 * (ISO 8859-1), so that a line of any encoding comes out as it went in.
 */
export class RecordView {
  /** The value is `bytes` from `start` to `end`. */
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  /**
   * When it was read, milliseconds since the epoch. Not for interceptors to set: where a broker
   * refuses it for a wrong clock, the producer replaces it.
   */
  timestamp = 0;
  /** Headers of this record alone, in order. */
  readonly headers: Header[] = [];
  #text: string | undefined;
  /** Of which bytes `#text` is the text. */
  #textBytes = this.bytes;
  #textStart = 0;
  #textEnd = 0;
  #encoding: 'utf8' | 'latin1' = 'utf8';

  /** Makes this the view of another record. The bytes are neither copied nor changed. */
  open(bytes: Buffer, start: number, end: number, timestamp: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.timestamp = timestamp;
    this.headers.length = 0;
    this.#text = undefined;
  }

  /** The value as text, decoded once. */
  get text(): string {
    if (this.#text === undefined || !this.#isTextOfValue) {
      const value = this.bytes.subarray(this.start, this.end);
      this.#encoding = isUtf8(value) ? 'utf8' : 'latin1';
      this.#keep(value.toString(this.#encoding));
    }
    return this.#text ?? '';
  }

  /** Replaces the value. Throws RangeError for a character that the line's encoding has not. */
  set text(text: string) {
    // What the line is encoded in, whether or not anybody has read it.
    if (this.#text === undefined) this.text;
    if (this.#encoding === 'latin1' && beyondLatin1.test(text)) {
      throw new RangeError(
        'the line is no UTF-8, and its new text has characters beyond ISO 8859-1',
      );
    }
    this.bytes = Buffer.from(text, this.#encoding);
    this.start = 0;
    this.end = this.bytes.length;
    this.#keep(text);
  }

  /** Puts bytes in front of the value. */
  prepend(prefix: Buffer): void {
    this.bytes = Buffer.concat([prefix, this.bytes.subarray(this.start, this.end)]);
    this.start = 0;
    this.end = this.bytes.length;
    this.#text = undefined;
  }

  /** An interceptor may have moved the value's borders since. */
  get #isTextOfValue(): boolean {
    const { bytes, start, end } = this;
    return bytes === this.#textBytes && start === this.#textStart && end === this.#textEnd;
  }

  #keep(text: string): void {
    this.#textBytes = this.bytes;
    this.#textStart = this.start;
    this.#textEnd = this.end;
    this.#text = text;
  }
}
