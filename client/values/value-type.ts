/** Headers that a type adds to a record, and is given back. */
export type ValueHeaders = Readonly<Record<string, string>>;

/** Bytes of a value, and what its type wants to know when it restores it. */
export interface EncodedValue {
  readonly bytes: Uint8Array;
  readonly headers?: ValueHeaders;
}

/** One kind of value: how it is recognised, written and restored. */
export interface ValueType<T = unknown> {
  /** Travels in the header `content-type`. */
  readonly name: string;
  /** Whether a value is of this kind. The types are asked in the order of their registration. */
  matches(value: unknown): value is T;
  /** Bytes, with headers where `decode` needs any. */
  encode(value: T): EncodedValue | Uint8Array;
  /** `headers`: those of the record whose values are text. Throws where the bytes are broken. */
  decode(bytes: Buffer, headers: ValueHeaders): T;
}

/** A type of whatever kind, for lists of them; `encode` takes what `matches` has approved. */
export interface AnyValueType {
  readonly name: string;
  matches(value: unknown): boolean;
  encode(value: never): EncodedValue | Uint8Array;
  decode(bytes: Buffer, headers: ValueHeaders): unknown;
}

/** Text, UTF-8. */
export const stringType: ValueType<string> = {
  name: 'string',
  matches: (value) => typeof value === 'string',
  encode: (value) => ({ bytes: Buffer.from(value) }),
  decode: (bytes) => bytes.toString('utf8'),
};

/** Bytes as they are. */
export const bytesType: ValueType<Uint8Array> = {
  name: 'bytes',
  matches: (value) => value instanceof Uint8Array,
  encode: (value) => ({ bytes: value }),
  decode: (bytes) => bytes,
};

/** Anything that JSON can say, as plain data. */
export const jsonType: ValueType<unknown> = {
  name: 'json',
  // Objects of a class would come back without it: they need a type of their own.
  matches: (value): value is unknown => isPlain(value),
  encode: (value) => ({ bytes: Buffer.from(JSON.stringify(value)) }),
  decode: (bytes) => JSON.parse(bytes.toString('utf8')) as unknown,
};

/** A class whose objects travel as JSON of `toJSON`, or of their own fields. */
export function jsonClass<T extends object>(
  name: string,
  type: abstract new (...args: never[]) => T,
  restore: (fields: never) => T,
): ValueType<T> {
  return {
    name,
    matches: (value): value is T => value instanceof type,
    encode: (value) => ({ bytes: Buffer.from(JSON.stringify(value)) }),
    decode: (bytes) => restore(JSON.parse(bytes.toString('utf8')) as never),
  };
}

function isPlain(value: unknown): boolean {
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return false;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
