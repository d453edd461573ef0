import type { FieldSpec, Shape, WireType } from '../../protocol/codec/index.js';
import * as protocol from '../../protocol/index.js';
import { fc } from '../fast-check.js';

/** A schema of which the object type does not matter. */
export type AnySchema = protocol.Schema<unknown, unknown>;

/** Every message of the protocol part. */
export const schemas: readonly AnySchema[] = [
  ...[...protocol.apis.values()].flatMap((api) => [api.request, api.response]),
  protocol.RequestHeader,
  protocol.ResponseHeader,
  protocol.ConsumerSubscription,
  protocol.ConsumerAssignment,
  protocol.OffsetCommitKey,
  protocol.OffsetCommitValue,
  protocol.GroupMetadataKey,
  protocol.GroupMetadataValue,
  protocol.ProducerSnapshot,
  protocol.AbortedTxn,
  protocol.EndTxnMarker,
] as unknown as AnySchema[];

export function versionsOf(schema: AnySchema): number[] {
  const { minVersion, maxVersion } = schema;
  return Array.from({ length: maxVersion - minVersion + 1 }, (_, i) => minVersion + i);
}

function scalar(wire: WireType): fc.Arbitrary<unknown> {
  switch (wire.kind) {
    case 'bool':
      return fc.boolean();
    case 'int8':
      return fc.integer({ min: -128, max: 127 });
    case 'int16':
      return fc.integer({ min: -32768, max: 32767 });
    case 'int32':
      return fc.integer();
    case 'uint32':
      return fc.nat({ max: 0xffffffff });
    case 'int64':
      return fc.oneof(fc.maxSafeInteger(), fc.constant(protocol.LONG_MAX), fc.integer());
    case 'uuid':
      return fc
        .uint8Array({ minLength: 16, maxLength: 16 })
        .map((bytes) => Buffer.from(bytes).toString('base64url'));
    case 'string':
      // Whole code points only: a lone surrogate has no UTF-8.
      return fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constant('x'.repeat(300)));
    case 'bytes':
    case 'records':
      return fc.oneof(
        fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
        fc.constant(Buffer.alloc(1500, 3)),
      );
    case 'array':
      return fc.constant([]);
    case 'struct':
      return fc.constant({});
  }
}

/** Any value of a shape; a field the version lacks has its default. */
export function arbitraryOf(shape: Shape, version: number): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(
    Object.fromEntries(
      Object.entries(shape).map(([name, { spec }]) => [name, fieldOf(spec, version)]),
    ),
  );
}

function fieldOf(spec: FieldSpec, version: number): fc.Arbitrary<unknown> {
  if (version < spec.since || version > spec.until) return fc.constant(defaultOf(spec));
  const value = wireOf(spec.wire, version);
  return version >= spec.nullableSince ? fc.option(value, { freq: 4 }) : value;
}

function wireOf(wire: WireType, version: number): fc.Arbitrary<unknown> {
  if (wire.kind === 'struct') return arbitraryOf(wire.shape, version);
  if (wire.kind === 'array') return fc.array(wireOf(wire.element, version), { maxLength: 3 });
  return scalar(wire);
}

function defaultOf({ fallback, wire }: FieldSpec): unknown {
  if (fallback !== undefined) return fallback;
  if (wire.kind === 'struct') {
    const fields = Object.entries(wire.shape);
    return Object.fromEntries(fields.map(([name, field]) => [name, defaultOf(field.spec)]));
  }
  if (wire.kind === 'array') return [];
  if (wire.kind === 'bool') return false;
  if (wire.kind === 'string') return '';
  if (wire.kind === 'uuid') return protocol.ZERO_UUID;
  return wire.kind === 'bytes' || wire.kind === 'records' ? Buffer.alloc(0) : 0;
}
