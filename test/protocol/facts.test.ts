import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FieldSpec, Shape, WireType } from '../../protocol/codec/index.js';
import * as protocol from '../../protocol/index.js';

/** Kafka's own description of a message. */
interface Fact {
  name: string;
  apiKey?: number;
  type: string;
  validVersions: string;
  flexibleVersions: string;
  fields: FactField[];
  commonStructs?: { name: string; fields: FactField[] }[];
}
interface FactField {
  name: string;
  type: string;
  versions: string;
  nullableVersions?: string;
  flexibleVersions?: string;
  tag?: number;
  taggedVersions?: string;
  default?: string | number | boolean | null;
  fields?: FactField[];
}

const folder = new URL('../../../shared/protocol/', import.meta.url);
const present = existsSync(folder);
if (!present) console.warn('skipped: ../shared/protocol is absent, schemas are not compared');

function load(file: string): Record<string, Fact> {
  return present ? JSON.parse(readFileSync(new URL(file, folder), 'utf8')) : {};
}
const messages = load('kafka-4.3-messages.json');
const storage = load('kafka-4.3-storage.json');

/** A version range as [first, last]; null where there is none. */
function range(text: string | undefined): [number, number] | null {
  if (text === undefined || text === 'none') return null;
  const [first, last] = text.replace('+', '-Infinity').split('-').map(Number);
  return [first as number, last ?? (first as number)];
}

/** The part of a range that lies within the versions we offer. */
function within(bounds: [number, number] | null, [min, max]: [number, number]) {
  if (bounds === null) return null;
  const clipped = [Math.max(bounds[0], min), Math.min(bounds[1], max)];
  return (clipped[0] as number) > (clipped[1] as number) ? null : clipped;
}

function factDefault(field: FactField): unknown {
  const { type, default: value } = field;
  if (value === undefined) {
    if (type === 'string') return '';
    if (type === 'bool') return false;
    return /^u?int|^float/.test(type) ? 0 : undefined;
  }
  if (value === null || value === 'null') return null;
  if (type === 'bool') return String(value) === 'true';
  return type === 'string' ? value : Number(value);
}

/** One flat line per field, from Kafka's description. */
function factLines(
  fact: Fact,
  offered: [number, number],
  fields = fact.fields,
  path = '',
): object[] {
  return fields.flatMap((field) => {
    const versions = within(range(field.versions), offered);
    if (versions === null) return [];
    const name = `${path}${field.name.charAt(0).toLowerCase()}${field.name.slice(1)}`;
    const element = field.type.replace('[]', '');
    const primitive = /^(bool|u?int\d+|float64|uuid|string|bytes|records)$/.test(element);
    const inner =
      field.fields ?? fact.commonStructs?.find((struct) => struct.name === element)?.fields ?? [];
    const line = {
      name,
      type: (field.type.startsWith('[]') ? '[]' : '') + (primitive ? element : 'struct'),
      versions,
      nullable: within(range(field.nullableVersions), versions as [number, number]),
      tag: field.tag,
      tagged: within(range(field.taggedVersions), versions as [number, number]),
      neverCompact: field.flexibleVersions === 'none',
      default: factDefault(field),
    };
    return [line, ...factLines(fact, offered, inner, `${name}.`)];
  });
}

/** The same lines from our schema. */
function schemaLines(shape: Shape, offered: [number, number], path = ''): object[] {
  return Object.entries(shape).flatMap(([field, { spec }]) => {
    const name = path + field;
    const element = spec.wire.kind === 'array' ? spec.wire.element : spec.wire;
    const versions = within([spec.since, spec.until], offered) as [number, number];
    const line = {
      name,
      type: (spec.wire.kind === 'array' ? '[]' : '') + element.kind,
      versions,
      nullable: within([spec.nullableSince, Number.POSITIVE_INFINITY], versions),
      tag: spec.tag,
      tagged: spec.tag === undefined ? null : versions,
      neverCompact: spec.neverCompact,
      default: ourDefault(spec),
    };
    const inner = element.kind === 'struct' ? element.shape : {};
    return [line, ...schemaLines(inner, offered, `${name}.`)];
  });
}

function ourDefault({ fallback, wire }: FieldSpec): unknown {
  if (fallback !== undefined) return fallback;
  const zeros: Partial<Record<WireType['kind'], unknown>> = { string: '', bool: false };
  if (wire.kind in zeros) return zeros[wire.kind];
  return /^u?int|^float/.test(wire.kind) ? 0 : undefined;
}

type AnySchema = Pick<
  protocol.Schema<unknown, never>,
  'name' | 'minVersion' | 'maxVersion' | 'flexibleFrom' | 'shape'
>;

/** Message by message: our schema, Kafka's description, and where we offer less on purpose. */
const pairs: [AnySchema, Fact | undefined, number?][] = [
  ...[...protocol.apis.values()].flatMap((api): [AnySchema, Fact | undefined, number?][] => {
    // InitProducerId 6 (two-phase commit) is unstable in 4.3.
    const last = api.key === 22 ? 5 : undefined;
    return [
      [api.request, messages[`${api.name}Request`], last],
      [api.response, messages[`${api.name}Response`], last],
    ];
  }),
  [protocol.RequestHeader, messages.RequestHeader],
  [protocol.ResponseHeader, messages.ResponseHeader],
  [protocol.ConsumerSubscription, messages.ConsumerProtocolSubscription],
  [protocol.ConsumerAssignment, messages.ConsumerProtocolAssignment],
  [protocol.OffsetCommitKey, storage.OffsetCommitKey],
  [protocol.OffsetCommitValue, storage.OffsetCommitValue],
  [protocol.GroupMetadataKey, storage.GroupMetadataKey],
  [protocol.GroupMetadataValue, storage.GroupMetadataValue],
  [protocol.ProducerSnapshot, storage.ProducerSnapshot],
  [protocol.AbortedTxn, storage.AbortedTxn],
  [protocol.EndTxnMarker, storage.EndTxnMarker],
];

describe.skipIf(!present)("schemas say what Kafka's own descriptions say", () => {
  it.each(pairs.map((pair) => [pair[0].name, ...pair] as const))('%s', (_, schema, fact, last) => {
    expect(fact).toBeDefined();
    if (fact === undefined) return;
    const [min, max] = range(fact.validVersions) as [number, number];
    const offered: [number, number] = [min, last ?? max];
    expect([schema.minVersion, schema.maxVersion]).toEqual(offered);
    const flexible = range(fact.flexibleVersions)?.[0] ?? Number.POSITIVE_INFINITY;
    expect(schema.flexibleFrom).toBe(flexible);
    expect(schemaLines(schema.shape, offered)).toEqual(factLines(fact, offered));
  });

  it('the keys of the APIs', () => {
    for (const api of protocol.apis.values()) {
      expect(messages[`${api.name}Request`]?.apiKey, api.name).toBe(api.key);
    }
  });

  it('the error codes', () => {
    const text = readFileSync(new URL('error-codes.txt', folder), 'utf8').trim();
    const facts = Object.fromEntries(
      text
        .split('\n')
        .map((line) => line.split(' '))
        .map(([code, name]) => [name, Number(code)]),
    );
    expect(protocol.ErrorCode).toEqual(facts);
  });
});
