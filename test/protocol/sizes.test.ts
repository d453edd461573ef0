import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FieldSpec, Shape, WireType } from '../../protocol/codec/index.js';
import { encodeResponse, Metadata } from '../../protocol/index.js';
import { fc } from '../fast-check.js';
import { rounds, seed } from '../rounds.js';
import { mulberry32 } from './chance.js';
import { type AnySchema, arbitraryOf, schemas, versionsOf } from './every-message.js';

/**
 * Every message and version, with each of its strings, byte fields and arrays in turn of a size
 * around a power of two, and what was in the memory before never in the output. Which power is
 * chance.
 */
/** No value below holds it: what it appears in was never written. */
const FOREIGN = 0xa5;
const FOREIGN_RUN = Buffer.alloc(3, FOREIGN);
const MAX_EXPONENT = 22;
/** Structures are compared by the field: half a megabyte takes long, and every test has its turn. */
const MAX_ARRAY_EXPONENT = rounds > 1 ? 19 : 16;
const MAX_STRING_BYTES = 0x7fff;
const SMALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
const MEDIUM = [15, 16, 17];
const LARGE = [18, 19, 20, 21, 22];

/** One variable place of a message, and how a base value becomes one with that place filled. */
interface Site {
  readonly path: string;
  readonly kind: 'string' | 'bytes' | 'array';
  /** Its length is an int16 in every version, as that of the client id. */
  readonly neverCompact?: boolean;
  fill(base: Record<string, unknown>, size: number): unknown;
}

const random = mulberry32(seed);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

const TEXT = Array.from({ length: MAX_STRING_BYTES + 1 }, (_, i) =>
  String.fromCharCode(32 + (i % 89)),
).join('');
const BYTES = Buffer.alloc(2 ** MAX_EXPONENT + 16);
for (let i = 0; i < BYTES.length; i++) BYTES[i] = i % 97;

const known = new Map<WireType, Map<number, unknown>>();

/** Some small value of a wire type. */
function smallest(wire: WireType, version: number): unknown {
  const byVersion = known.get(wire) ?? new Map<number, unknown>();
  known.set(wire, byVersion);
  if (!byVersion.has(version)) {
    const shape: Shape = { it: { spec: specOf(wire) } as Shape[string] };
    const [value] = fc.sample(arbitraryOf(shape, version), { numRuns: 1, seed });
    byVersion.set(version, (value as { it: unknown }).it);
  }
  return byVersion.get(version);
}

function specOf(wire: WireType): FieldSpec {
  const never = Number.POSITIVE_INFINITY;
  return {
    ...{ wire, since: 0, until: never, nullableSince: never, tag: undefined },
    ...{ fallback: undefined, optional: false, neverCompact: false },
  };
}

function filled(wire: WireType, size: number, version: number): unknown {
  if (wire.kind === 'string') return TEXT.padEnd(size, '.').slice(0, size);
  if (wire.kind !== 'array') return BYTES.subarray(0, size);
  const element = smallest(wire.element, version);
  return Array.from({ length: Math.ceil(size / roughBytes(element)) }, () => element);
}

/** About what a value takes on the wire. */
function roughBytes(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 4;
  if (Buffer.isBuffer(value)) return value.length + 4;
  return Object.values(value).reduce((sum: number, part) => sum + roughBytes(part), 2);
}

function sitesOf(shape: Shape, version: number): Site[] {
  return Object.entries(shape).flatMap(([name, { spec }]) => {
    if (version < spec.since || version > spec.until) return [];
    return sitesOfWire(spec.wire, version, name).map(({ path, kind, fill, neverCompact }) => ({
      path,
      kind,
      neverCompact: neverCompact === true || spec.neverCompact,
      fill: (base: Record<string, unknown>, size: number) => ({
        ...base,
        [name]: fill(base[name] as Record<string, unknown>, size),
      }),
    }));
  });
}

function sitesOfWire(wire: WireType, version: number, path: string): Site[] {
  const whole = (kind: Site['kind']): Site => ({
    path,
    kind,
    fill: (_, size) => filled(wire, size, version),
  });
  if (wire.kind === 'string') return [whole('string')];
  if (wire.kind === 'bytes' || wire.kind === 'records') return [whole('bytes')];
  if (wire.kind === 'struct') {
    return sitesOf(wire.shape, version).map((site) => ({
      ...site,
      path: `${path}.${site.path}`,
      fill: (base, size) => site.fill(base ?? (smallest(wire, version) as typeof base), size),
    }));
  }
  if (wire.kind !== 'array') return [];
  const inner = sitesOfWire(wire.element, version, `${path}[]`).map((site) => ({
    ...site,
    // Something before and behind it, so that a shifted byte shows.
    fill: (_: unknown, size: number) => {
      const one = smallest(wire.element, version) as Record<string, unknown>;
      return [one, site.fill(one, size), one];
    },
  }));
  return [whole('array'), ...inner];
}

/** A message in one version, and a small value of it. */
interface Target {
  readonly schema: AnySchema;
  readonly version: number;
  readonly base: Record<string, unknown>;
}

/** Structurally, whatever the prototypes. */
function areEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Buffer.isBuffer(a)) return Buffer.isBuffer(b) && a.equals(b);
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((one, i) => areEqual(one, b[i]));
  }
  const [left, right] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  return Object.keys(left).every((name) => areEqual(left[name], right[name]));
}

/** The memory that a writer took last is filled with the pattern before each message. */
const taken: Buffer[] = [];

function check(target: Target, site: Site, size: number): void {
  const { schema, version, base } = target;
  const what = `${schema.name} v${version} ${site.path} of ${size} bytes (seed ${seed})`;
  const value = site.fill(base, size);
  for (const memory of taken) memory.fill(FOREIGN);
  const isCompact = version >= schema.flexibleFrom && site.neverCompact !== true;
  if (site.kind === 'string' && !isCompact && size > MAX_STRING_BYTES) {
    expect(() => schema.write(value, version), what).toThrow(/exceeds 32767/);
    return;
  }
  const bytes = Buffer.concat(schema.write(value, version));
  if (bytes.includes(FOREIGN_RUN)) throw new Error(`${what}: memory that was not written`);
  const { value: read, end } = schema.readPrefix(bytes, 0, version);
  if (end !== bytes.length) throw new Error(`${what}: ${bytes.length} bytes, ${end} were read`);
  if (!areEqual(read, value)) throw new Error(`${what}: another value was read`);
}

beforeAll(() => {
  const allocate = Buffer.allocUnsafeSlow.bind(Buffer);
  vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => {
    const memory = allocate(size).fill(FOREIGN);
    taken.push(memory);
    if (taken.length > 2) taken.shift();
    return memory;
  });
});
afterAll(() => vi.restoreAllMocks());

const cases = schemas.flatMap((schema) =>
  versionsOf(schema).map((version) => [schema.name, version, schema] as const),
);

describe(`sizes around powers of two, seed ${seed}`, () => {
  it.each(cases)('%s v%i', { timeout: 30_000 * rounds }, (_, version, schema) => {
    const [base] = fc.sample(arbitraryOf(schema.shape, version), { numRuns: 1, seed });
    const target = { schema, version, base: base as Record<string, unknown> };
    const sites = sitesOf(schema.shape, version);
    for (let round = 0; round < rounds; round++) {
      if (sites.length === 0) return;
      // The writer's first memory for each place; what it keeps at most and anything for one.
      for (const site of sites) check(target, site, 2 ** 14 + pick([-64, -8, -2, -1, 0, 1, 2]));
      for (const exponents of [SMALL, MEDIUM, LARGE]) {
        const site = pick(sites);
        const max = site.kind === 'array' ? MAX_ARRAY_EXPONENT : MAX_EXPONENT;
        check(target, site, sizeNear(Math.min(max, pick(exponents))));
      }
    }
  });
});

function sizeNear(exponent: number): number {
  return Math.max(0, 2 ** exponent + pick([-1, 0, 1]));
}

it('300 topics keep their names', () => {
  const names = Array.from({ length: 300 }, (_, index) => `topic-${'x'.repeat(40)}-${index}`);
  const topics = names.map((name) => ({
    ...{ errorCode: 0, name, topicId: '', isInternal: false },
    partitions: [],
  }));
  for (const version of [0, 12]) {
    const answer = {
      ...{ brokers: [], clusterId: 'c', controllerId: 0 },
      topics: topics.map((topic) => ({ ...topic, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })),
    };
    // Memory as a new process has it: the first message grows it.
    const frame = Buffer.concat(encodeResponse(Metadata, version, 7, answer));
    const header = version === 12 ? 9 : 8;
    const read = Metadata.response.read(frame, header, version);
    expect(read.topics.map(({ name }) => name)).toEqual(names);
  }
});
