import { rule } from '../../config/options/index.js';
import { checkValue } from '../options/index.js';
import { ValueError } from './errors.js';
import type { AnyValueType, EncodedValue, ValueHeaders } from './value-type.js';

/** The header that names a value's type. */
export const CONTENT_TYPE = 'content-type';

const typeRule = rule.having('{ name, matches, encode, decode }', 'matches', 'encode', 'decode');

/** What became of a record's bytes. */
export type Restored =
  | { readonly isRestored: true; readonly type: string; readonly value: unknown }
  /** Of a type that is not registered, or of none: counted, not restored. */
  | { readonly isRestored: false; readonly type: string | undefined };

/**
 * The kinds of values that a producer can send or a consumer wants. Several share a topic: each
 * record names its own, and a consumer restores those that it has registered.
 */
export class ValueTypes {
  private readonly types = new Map<string, AnyValueType>();
  private readonly skippedByType = new Map<string, number>();

  /** Types are asked in this order which of them a value is. */
  constructor(types: readonly AnyValueType[]) {
    checkValue('the types of ValueTypes', types, rule.list(rule.anything));
    for (const type of types) this.register(type);
  }

  /**
   * Throws ValueError DUPLICATE_TYPE where the name is taken, ClientError INVALID_OPTION for what
   * is no type.
   */
  register(type: AnyValueType): this {
    checkValue('a value type', type, typeRule);
    checkValue('the name of a value type', type.name, rule.text);
    if (this.types.has(type.name)) {
      throw new ValueError('DUPLICATE_TYPE', `the value type '${type.name}' is registered already`);
    }
    this.types.set(type.name, type);
    return this;
  }

  /** Bytes and headers of a value, the type's name among them. Throws ValueError. */
  encode(value: unknown): EncodedValue & { readonly headers: ValueHeaders } {
    for (const type of this.types.values()) {
      if (!type.matches(value)) continue;
      const { bytes, headers } = encodedBy(type, value);
      return { bytes, headers: { [CONTENT_TYPE]: type.name, ...headers } };
    }
    const known = [...this.types.keys()].join(', ');
    throw new ValueError(
      'UNKNOWN_TYPE',
      `${describe(value)} is of no registered value type (${known || 'there is none'})`,
    );
  }

  /**
   * The value in a record, as its class. Records of other types are counted (`skipped`). Throws
   * ValueError NOT_RESTORED where the bytes do not fit their type.
   */
  restore(
    bytes: Buffer,
    headers: readonly (readonly [name: string, value: Uint8Array | null])[],
  ): Restored {
    const texts: Record<string, string> = {};
    for (const [name, value] of headers) {
      if (value !== null) texts[name] = Buffer.from(value).toString('utf8');
    }
    const name = texts[CONTENT_TYPE];
    const type = name === undefined ? undefined : this.types.get(name);
    if (type === undefined) {
      const counted = name ?? '';
      this.skippedByType.set(counted, (this.skippedByType.get(counted) ?? 0) + 1);
      return { isRestored: false, type: name };
    }
    try {
      return { isRestored: true, type: type.name, value: type.decode(bytes, texts) };
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `a record says that it is of type '${type.name}', but: ${why}`;
      throw new ValueError('NOT_RESTORED', message, { cause });
    }
  }

  /** How many records were passed over, by the name of their type ('' where they had none). */
  get skipped(): ReadonlyMap<string, number> {
    return this.skippedByType;
  }
}

function encodedBy(type: AnyValueType, value: unknown): EncodedValue {
  const encoded: unknown = type.encode(value as never);
  if (encoded instanceof Uint8Array) return { bytes: encoded };
  const { bytes } = (encoded ?? {}) as Partial<EncodedValue>;
  if (bytes instanceof Uint8Array) return encoded as EncodedValue;
  const message = `encode of the value type '${type.name}' must return bytes or { bytes, headers }`;
  throw new ValueError('NOT_ENCODED', message);
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a value of type ${typeof value}`;
  return `an object of class ${value.constructor?.name || 'Object'}`;
}
