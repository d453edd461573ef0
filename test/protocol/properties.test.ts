import { describe, expect, it } from 'vitest';
import { encodeRequest, Metadata, ProtocolError } from '../../protocol/index.js';
import { fc } from '../fast-check.js';
import { type AnySchema, arbitraryOf, schemas, versionsOf } from './every-message.js';

const cases = schemas.flatMap((schema) =>
  versionsOf(schema).map((version) => [schema.name, version, schema] as const),
);

/** The longest array and the sum of all in a value: what reading allocated. */
function elementsOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + 1 + elementsOf(item), 0);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return 0;
  return elementsOf(Object.values(value)) - Object.keys(value).length;
}

/** Reads hostile bytes: a value that fits the frame, or a typed error. */
function readHostile(schema: AnySchema, bytes: Buffer, version: number): void {
  try {
    const { value, end } = schema.readPrefix(bytes, 0, version);
    expect(end).toBeLessThanOrEqual(bytes.length);
    expect(elementsOf(value)).toBeLessThanOrEqual(bytes.length);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

describe('read(write(x)) is x', () => {
  it.each(cases)('%s v%i', (_, version, schema) => {
    fc.assert(
      fc.property(arbitraryOf(schema.shape, version), (value) => {
        const bytes = Buffer.concat(schema.write(value, version));
        const { value: read, end } = schema.readPrefix(bytes, 0, version);
        expect(read).toEqual(value);
        expect(end).toBe(bytes.length);
      }),
      { numRuns: 12 },
    );
  });
});

describe('a broken frame gives a value or a typed error', () => {
  it.each(cases)('%s v%i', (_, version, schema) => {
    fc.assert(
      fc.property(
        arbitraryOf(schema.shape, version),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.nat({ max: 7 }),
        (value, place, bit) => {
          const bytes = Buffer.concat(schema.write(value, version));
          const at = Math.floor(place * bytes.length);
          readHostile(schema, bytes.subarray(0, at), version);
          const flipped = Buffer.from(bytes);
          if (flipped.length > 0) flipped[at] = (flipped[at] as number) ^ (1 << bit);
          readHostile(schema, flipped, version);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('random bytes, any message', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, fc.constantFrom(...cases), (frame, [, version, schema]) => {
        readHostile(schema, frame, version);
      }),
      { numRuns: 2000 },
    );
  });

  it('every truncation of a request is an error', () => {
    const [frame] = encodeRequest(Metadata, 12, 1, 'me', {
      topics: [{ name: 'a' }, { name: 'b' }],
    }) as [Buffer];
    const body = Metadata.request.write(
      { topics: [{ name: 'a' }, { name: 'b' }] },
      12,
    )[0] as Buffer;
    expect(frame.subarray(-body.length)).toEqual(body);
    for (let size = 0; size < body.length; size++) {
      expect(() => Metadata.request.read(body.subarray(0, size), 0, 12)).toThrow(ProtocolError);
    }
  });

  it('an array that claims more elements than bytes is refused before it is read', () => {
    const claim = Buffer.from('7fffffff00', 'hex');
    expect(() => Metadata.request.read(claim, 0, 4)).toThrow(
      expect.objectContaining({ code: 'TRUNCATED' }),
    );
  });
});

describe('tagged fields', () => {
  it('that are unknown are skipped', () => {
    const [known] = Metadata.request.write({ topics: [] }, 12) as [Buffer];
    const extended = Buffer.concat([
      known.subarray(0, -1),
      Buffer.from('02' + '0503aabbcc' + '0600', 'hex'),
    ]);
    const { value, end } = Metadata.request.readPrefix(extended, 0, 12);
    expect(value).toEqual(Metadata.request.read(known, 0, 12));
    expect(end).toBe(extended.length);
  });

  it('whose size is wrong are an error', async () => {
    const { Fetch } = await import('../../protocol/index.js');
    const value = { maxWaitMs: 1, minBytes: 1, clusterId: 'abc', topics: [] };
    const [bytes] = Fetch.request.write(value, 12) as [Buffer];
    const at = bytes.indexOf(Buffer.from('00' + '04' + '04616263', 'hex'));
    bytes[at + 1] = 3;
    expect(() => Fetch.request.read(bytes, 0, 12)).toThrow(ProtocolError);
  });
});
