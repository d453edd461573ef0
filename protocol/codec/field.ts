import { ZERO_UUID } from './reader.js';

/** The wire types that are not made of others. */
export type Primitive =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records';

/** What a field is, apart from its versions. */
export type WireType =
  | { readonly kind: Primitive }
  | { readonly kind: 'array'; readonly element: WireType }
  | { readonly kind: 'struct'; readonly shape: Shape };

/** Versions and rules of one field. */
export interface FieldSpec {
  readonly wire: WireType;
  readonly since: number;
  /** Last version that has it; Infinity while it lives. */
  readonly until: number;
  /** First version in which null is allowed; Infinity where never. */
  readonly nullableSince: number;
  /** Number of a tagged field (KIP-482); undefined for one in its place. */
  readonly tag: number | undefined;
  /** What it reads as in versions without it; undefined for the wire type's zero. */
  readonly fallback: unknown;
  /** Whether a writer may leave it out. */
  readonly optional: boolean;
  /** Keeps the int16 length in flexible versions too (the client id of the request header). */
  readonly neverCompact: boolean;
}

/**
 * One field of a message. `R` is what reading gives, `W` what writing takes, `O` whether a writer
 * may leave it out. Each method returns a new field.
 */
export class Field<R, W = R, O extends boolean = false> {
  declare readonly reads: R;
  declare readonly writes: W;
  declare readonly optional: O;

  constructor(readonly spec: FieldSpec) {}

  private with<R2, W2, O2 extends boolean>(change: Partial<FieldSpec>): Field<R2, W2, O2> {
    return new Field({ ...this.spec, ...change });
  }

  /** The first version that has this field. */
  since(version: number): Field<R, W, true> {
    return this.with({ since: version, optional: true });
  }

  /** The last version that has this field. */
  until(version: number): Field<R, W, true> {
    return this.with({ until: version, optional: true });
  }

  /** Allows null, from a later version than the field's first where one is given. */
  nullable(since = 0): Field<R | null, W | null, O> {
    return this.with({ nullableSince: since });
  }

  /** What it reads as where it is absent. */
  default(value: R): Field<R, W, true> {
    return this.with({ fallback: value, optional: true });
  }

  /** A tagged field: written only where it differs from its default. */
  tagged(tag: number): Field<R, W, true> {
    return this.with({ tag, optional: true });
  }

  /** No compact encoding, even in flexible versions. */
  neverCompact(): Field<R, W, O> {
    return this.with({ neverCompact: true });
  }
}

/** The fields of a message or of a part of it, in wire order. */
export interface Shape {
  readonly [name: string]: Field<unknown, unknown, boolean>;
}

/** What reading a shape gives: every field, at every version. */
export type ReadShape<S extends Shape> = { [K in keyof S]: S[K]['reads'] };

type OptionalKeys<S extends Shape> = {
  [K in keyof S]: S[K]['optional'] extends true ? K : never;
}[keyof S];

/** What writing a shape takes: what has a default, or is not in all versions, may be absent. */
export type WriteShape<S extends Shape> = {
  readonly [K in Exclude<keyof S, OptionalKeys<S>>]: S[K]['writes'];
} & { readonly [K in OptionalKeys<S>]?: S[K]['writes'] };

function field<R, W = R>(wire: WireType): Field<R, W> {
  return new Field({
    wire,
    since: 0,
    until: Number.POSITIVE_INFINITY,
    nullableSince: Number.POSITIVE_INFINITY,
    tag: undefined,
    fallback: undefined,
    optional: false,
    neverCompact: false,
  });
}

export const bool = field<boolean>({ kind: 'bool' });
export const int8 = field<number>({ kind: 'int8' });
export const int16 = field<number>({ kind: 'int16' });
export const int32 = field<number>({ kind: 'int32' });
export const uint32 = field<number>({ kind: 'uint32' });
/** An integer, exact within 2^53: see `readInt64`. */
export const int64 = field<number>({ kind: 'int64' });
/** 22 characters of url-safe base64. */
export const uuid = field<string>({ kind: 'uuid' });
export const string = field<string>({ kind: 'string' });
/** Reading gives a slice of the frame. */
export const bytes = field<Buffer, Uint8Array>({ kind: 'bytes' });
/** Record batches, undecoded; reading gives a slice of the frame. */
export const records = field<Buffer, Uint8Array>({ kind: 'records' });

/** A structure in its place. */
export function struct<S extends Shape>(shape: S): Field<ReadShape<S>, WriteShape<S>> {
  return field({ kind: 'struct', shape });
}

/** An array of structures or of one primitive. */
export function array<R, W>(element: Field<R, W>): Field<readonly R[], readonly W[]>;
export function array<S extends Shape>(
  element: S,
): Field<readonly ReadShape<S>[], readonly WriteShape<S>[]>;
export function array(element: Shape | Field<unknown, unknown>): Field<unknown, unknown> {
  const wire: WireType =
    element instanceof Field ? element.spec.wire : { kind: 'struct', shape: element as Shape };
  return field({ kind: 'array', element: wire });
}

/** Whether `version` of the message has the field. */
export function has(spec: FieldSpec, version: number): boolean {
  return version >= spec.since && version <= spec.until;
}

/** What a field reads as where it is absent. */
export function fallbackOf(spec: FieldSpec): unknown {
  return spec.fallback === undefined ? zeroOf(spec.wire) : spec.fallback;
}

function zeroOf(wire: WireType): unknown {
  switch (wire.kind) {
    case 'bool':
      return false;
    case 'string':
      return '';
    case 'uuid':
      return ZERO_UUID;
    case 'bytes':
    case 'records':
      return Buffer.alloc(0);
    case 'array':
      return Object.freeze([]);
    case 'struct':
      return Object.freeze(
        Object.fromEntries(Object.entries(wire.shape).map(([k, f]) => [k, fallbackOf(f.spec)])),
      );
    default:
      return 0;
  }
}
