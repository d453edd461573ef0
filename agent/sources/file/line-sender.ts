import type { Header } from '../../../protocol/records/index.js';
import type { InterceptorChain } from '../../interceptors/index.js';
import type { BatchTicket, RecordProducer } from '../../producer.js';
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

/** Cuts content into lines and appends each to the producer. The agent's hot path. */
export class LineSender {
  /** The producer took no more: wait until it is writable. */
  isBlocked = false;
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

  constructor(
    private readonly producer: RecordProducer,
    private readonly chain: InterceptorChain,
    options: LineOptions,
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
   * @returns where what was sent ends.
   */
  send(
    route: Route,
    delivery: Delivery,
    content: Buffer,
    start: number,
    timestamp: number,
    takesRest: boolean,
  ): number {
    const maxBytes = this.#maxLineBytes;
    const end = content.length;
    let at = start;
    this.isBlocked = false;
    this.#ticket = null;
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
      if (!this.#append(route, delivery, content, at, lineEnd, timestamp, isPartial)) break;
      at = next;
    }
    return at;
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
      acknowledgements.add(delivery, ticket);
    }
    return true;
  }

  #headersOf(isPartial: boolean, own: readonly Header[]): Buffer | null {
    const partial: readonly Header[] = isPartial ? [[partialHeader, Buffer.from('1')]] : [];
    return this.chain.headersWith([...own, ...this.#lineHeaders, ...partial]);
  }
}
