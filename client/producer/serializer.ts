import { encodeHeaders, type Header } from '../../protocol/records/index.js';
import type { ValueTypes } from '../values/index.js';
import { ProducerError } from './errors.js';
import type { HeadersInput, ProducerRecord } from './record.js';

/** A part of a record as bytes: `bytes[0..end)`, or null. */
export interface Piece {
  bytes: Buffer | null;
  end: number;
}

const SCRATCH_BYTES = 64 * 1024;
/** UTF-8 takes at most three bytes for each of a string's units. */
const MAX_BYTES_PER_UNIT = 3;

/**
 * Turns a record's fields into bytes. Text goes into memory that is used again for the next
 * record: what stands in `key` and `value` must be copied before `serialize` is called again.
 */
export class Serializer {
  readonly key: Piece = { bytes: null, end: 0 };
  readonly value: Piece = { bytes: null, end: 0 };
  headers: Buffer | null = null;
  private readonly keyScratch = Buffer.allocUnsafeSlow(1024);
  private readonly valueScratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  constructor(private readonly values: ValueTypes | undefined) {}

  /** Throws ProducerError BAD_VALUE, or ValueError. */
  serialize(record: ProducerRecord): void {
    put(this.key, this.keyScratch, record.key ?? null, 'key');
    if (this.values === undefined || record.value === null) {
      put(this.value, this.valueScratch, record.value ?? null, 'value');
      this.headers = record.headers === undefined ? null : encode(record.headers, undefined);
      return;
    }
    const { bytes, headers } = this.values.encode(record.value);
    put(this.value, this.valueScratch, bytes, 'value');
    this.headers = encode(record.headers, headers);
  }
}

function put(piece: Piece, scratch: Buffer, content: unknown, what: string): void {
  if (content === null) {
    piece.bytes = null;
    piece.end = 0;
  } else if (Buffer.isBuffer(content)) {
    piece.bytes = content;
    piece.end = content.length;
  } else if (typeof content === 'string') {
    const isShort = content.length * MAX_BYTES_PER_UNIT <= scratch.length;
    piece.bytes = isShort ? scratch : Buffer.from(content);
    piece.end = isShort ? scratch.write(content, 0) : piece.bytes.length;
  } else if (content instanceof Uint8Array) {
    piece.bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    piece.end = content.length;
  } else {
    throw new ProducerError(
      'BAD_VALUE',
      `a ${what} of type ${typeof content} has no bytes: give text or bytes, or register ` +
        'a value type (option `values`)',
    );
  }
}

/** Headers that a value's type adds take the place of the record's own of that name. */
function encode(input: HeadersInput | undefined, added: HeadersInput | undefined): Buffer | null {
  const own = pairsOf(input);
  const more = pairsOf(added);
  const headers =
    own.length > 0 && more.length > 0
      ? [...own.filter(([name]) => !more.some(([other]) => other === name)), ...more]
      : [...own, ...more];
  return headers.length === 0 ? null : encodeHeaders(headers);
}

function pairsOf(input: unknown): Header[] {
  if (input === undefined || input === null) return [];
  if (typeof input !== 'object') throw badHeaders(`they are of type ${typeof input}`);
  const isList = Symbol.iterator in input;
  const pairs: unknown[] = isList ? [...(input as Iterable<unknown>)] : Object.entries(input);
  return pairs.map(toHeader);
}

function toHeader(pair: unknown): Header {
  if (!Array.isArray(pair) || pair.length !== 2) throw badHeaders('one of a list is no pair');
  const [name, value] = pair as readonly unknown[];
  if (typeof name !== 'string') throw badHeaders(`a name is of type ${typeof name}`);
  if (typeof value === 'string') return [name, Buffer.from(value)];
  if (value === null || value instanceof Uint8Array) return [name, value];
  const what = Array.isArray(value) ? 'a list (give one pair per value)' : typeof value;
  throw badHeaders(`the value of ${name} is ${what}`);
}

function badHeaders(why: string): ProducerError {
  const wanted = 'give an object { name: value } or a list of pairs [name, value]';
  return new ProducerError('BAD_VALUE', `headers: ${why}; ${wanted}, values text, bytes or null`);
}
