import { encodeHeaders, type Header } from '../../../protocol/records/index.js';
import { type InterceptorChain, InterceptorError } from '../../interceptors/index.js';
import type { BatchTicket, RecordProducer } from '../../producer.js';
import { isOwnFault, type UnsentRecord } from '../../refusal.js';
import type { Acknowledgements, Delivery } from './acknowledgements.js';

/** The header of a record that is not a whole line: no delimiter belongs behind it. */
const partialHeader = 'logflume.partial';
/** The header with the delimiter, where it is not a newline. */
const delimiterHeader = 'logflume.delimiter';

/** Where the lines of a generation go. */
export interface Route {
  readonly target: unknown;
  readonly key: Buffer;
  readonly acknowledgements: Acknowledgements;
}

/** How lines are told apart. */
export interface LineOptions {
  readonly delimiter: Buffer;
  /** Longer lines are sent in pieces. */
  readonly maxLineBytes: number;
}

/** What was refused by `append`, which lies between two bytes of the content. */
export type OnRefused = (
  record: UnsentRecord,
  error: Error,
  start: number,
  end: number,
) => Promise<void>;

/** A line, or piece of one, in the content. */
interface Line {
  readonly content: Buffer;
  readonly start: number;
  readonly end: number;
  readonly timestamp: number;
  readonly isPartial: boolean;
}

/** Cuts content into lines and appends each to the producer. The agent's hot path. */
export class LineSender {
  /** The producer took no more: wait until it is writable. */
  isBlocked = false;
  /** Why the last `send` stopped before the end, where it was not the producer's memory. */
  error: Error | undefined;
  /** Appended since the last `take`. */
  #records = 0;
  #partials = 0;
  #bytes = 0;
  readonly #delimiter: number | Buffer;
  readonly #delimiterBytes: number;
  readonly #maxLineBytes: number;
  readonly #lineHeaders: readonly Header[];
  /** Encoded once, for records to which no interceptor adds any. */
  readonly #headers: Buffer | null;
  readonly #partialHeaders: Buffer | null;
  /** The batch of the last record, and the delivery that knows of it. */
  #ticket: BatchTicket | null = null;
  /** The position of the first byte of the content that is being sent. */
  #origin = 0;

  constructor(
    private readonly producer: RecordProducer,
    private readonly chain: InterceptorChain,
    options: LineOptions,
    private readonly onRefused: OnRefused,
  ) {
    const { delimiter, maxLineBytes } = options;
    this.#delimiterBytes = delimiter.length;
    // Looking for a byte is several times faster than looking for a buffer of one byte.
    this.#delimiter = delimiter.length === 1 ? (delimiter[0] ?? 0) : delimiter;
    this.#maxLineBytes = maxLineBytes;
    const isNewline = delimiter.equals(Buffer.from('\n'));
    this.#lineHeaders = isNewline ? [] : [[delimiterHeader, delimiter]];
    this.#headers = this.#headersOf(false, []);
    this.#partialHeaders = this.#headersOf(true, []);
  }

  /**
   * Sends the lines of `content` from `start`, in order; `isBlocked` tells whether it stopped
   * because the producer is full.
   *
   * @param takesRest sends an unfinished last line too, as partial.
   * @param origin the position of the first byte of `content` in the file's content.
   * @returns where what was sent ends. Never throws, so that the delivery can be closed there.
   */
  send(
    route: Route,
    delivery: Delivery,
    content: Buffer,
    start: number,
    timestamp: number,
    takesRest: boolean,
    origin: number,
  ): number {
    const maxBytes = this.#maxLineBytes;
    const end = content.length;
    let at = start;
    this.isBlocked = false;
    this.error = undefined;
    this.#ticket = null;
    this.#origin = origin;
    while (at < end) {
      let lineEnd = content.indexOf(this.#delimiter, at);
      let next = lineEnd + this.#delimiterBytes;
      let isPartial = false;
      if (lineEnd < 0) {
        if (end - at >= maxBytes + this.#delimiterBytes) lineEnd = next = at + maxBytes;
        else if (takesRest) lineEnd = next = Math.min(end, at + maxBytes);
        else break;
        isPartial = true;
      } else if (lineEnd - at > maxBytes) {
        lineEnd = next = at + maxBytes;
        isPartial = true;
      }
      try {
        if (!this.#append(route, delivery, content, at, lineEnd, timestamp, isPartial)) break;
      } catch (error) {
        const line = { content, start: at, end: lineEnd, timestamp, isPartial };
        if (!this.#refused(route, delivery, line, error as Error)) break;
      }
      at = next;
    }
    return at;
  }

  /** Whether `content`, in which no line ends before `searched`, has anything for `send`. */
  hasLine(content: Buffer, searched: number): boolean {
    if (content.length >= this.#maxLineBytes + this.#delimiterBytes) return true;
    // A delimiter may begin before it and end behind it.
    return content.indexOf(this.#delimiter, Math.max(0, searched - this.#delimiterBytes + 1)) >= 0;
  }

  /** The producer may have room again. */
  unblock(): void {
    this.isBlocked = false;
  }

  /** Records appended since the last call, their bytes, and those that are no whole lines. */
  take(): { records: number; bytes: number; partials: number } {
    const taken = { records: this.#records, bytes: this.#bytes, partials: this.#partials };
    this.#records = this.#bytes = this.#partials = 0;
    return taken;
  }

  /** False where the producer is full. */
  #append(
    { target, key, acknowledgements }: Route,
    delivery: Delivery,
    content: Buffer,
    start: number,
    end: number,
    timestamp: number,
    isPartial: boolean,
  ): boolean {
    let headers = isPartial ? this.#partialHeaders : this.#headers;
    let ticket: BatchTicket | null;
    if (this.chain.isConstant) {
      const length = key.length;
      ticket = this.producer.append(
        target,
        timestamp,
        key,
        0,
        length,
        content,
        start,
        end,
        headers,
      );
    } else {
      const { view } = this.chain;
      view.open(content, start, end, timestamp);
      if (!this.chain.intercept()) return true;
      if (view.headers.length > 0) headers = this.#headersOf(isPartial, view.headers);
      ticket = this.producer.append(
        target,
        view.timestamp,
        key,
        0,
        key.length,
        view.bytes,
        view.start,
        view.end,
        headers,
      );
    }
    if (ticket === null) {
      this.isBlocked = true;
      return false;
    }
    this.#records++;
    this.#bytes += end - start;
    if (isPartial) this.#partials++;
    delivery.records++;
    if (ticket !== this.#ticket) {
      this.#ticket = ticket;
      acknowledgements.add(delivery, ticket, this.#origin + start);
    }
    return true;
  }

  /** False where the record is not at fault and has to be tried again. */
  #refused({ key, acknowledgements }: Route, delivery: Delivery, line: Line, error: Error) {
    const { content, start, end, isPartial } = line;
    const { view, isConstant } = this.chain;
    // What an interceptor has left half done is no record; the line itself is.
    const isLine = isConstant || error instanceof InterceptorError;
    const value = isLine ? content.subarray(start, end) : view.bytes.subarray(view.start, view.end);
    const timestamp = isLine ? line.timestamp : view.timestamp;
    if (!isOwnFault(error)) {
      this.error = error;
      return false;
    }
    const headers = this.#allHeaders(isPartial, isLine ? [] : view.headers);
    const record = { key, value: Buffer.from(value), headers, timestamp };
    const kept = this.onRefused(record, error, this.#origin + start, this.#origin + end);
    acknowledgements.await(delivery, kept);
    return true;
  }

  #headersOf(isPartial: boolean, own: readonly Header[]): Buffer | null {
    const all = this.#allHeaders(isPartial, own);
    return all.length === 0 ? null : encodeHeaders(all);
  }

  #allHeaders(isPartial: boolean, own: readonly Header[]): readonly Header[] {
    const partial: readonly Header[] = isPartial ? [[partialHeader, Buffer.from('1')]] : [];
    return this.chain.allHeaders([...own, ...this.#lineHeaders, ...partial]);
  }
}
