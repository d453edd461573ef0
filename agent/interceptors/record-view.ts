import { isUtf8 } from 'node:buffer';
import type { Header } from '../../protocol/records/index.js';

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
    if (this.#text === undefined) {
      const value = this.bytes.subarray(this.start, this.end);
      this.#encoding = isUtf8(value) ? 'utf8' : 'latin1';
      this.#text = value.toString(this.#encoding);
    }
    return this.#text;
  }

  /** Replaces the value. */
  set text(text: string) {
    this.bytes = Buffer.from(text, this.#encoding);
    this.start = 0;
    this.end = this.bytes.length;
    this.#text = text;
  }

  /** Puts bytes in front of the value. */
  prepend(prefix: Buffer): void {
    this.bytes = Buffer.concat([prefix, this.bytes.subarray(this.start, this.end)]);
    this.start = 0;
    this.end = this.bytes.length;
    this.#text = undefined;
  }
}
