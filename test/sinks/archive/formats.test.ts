import { describe, expect, it } from 'vitest';
import { formats, madeOf } from '../../../sinks/archive/formats/index.js';
import { ByteWriter } from '../../../sinks/byte-writer.js';
import { fc } from '../../fast-check.js';
import { cursorOver, type PlainRecord } from '../record-list.js';

const origin = { topic: 'logs', partition: 7 };
const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array));
const maybe = fc.option(bytes, { nil: null });
const header = fc.tuple(fc.string({ maxLength: 5 }), maybe);
const record: fc.Arbitrary<PlainRecord> = fc.record({
  timestamp: fc.integer({ min: 0, max: 4e12 }),
  key: maybe,
  value: maybe,
  headers: fc.array(header, { maxLength: 3 }),
});

const made = madeOf(formats);

function write(format: string, records: readonly PlainRecord[]): Buffer {
  const out = new ByteWriter(1);
  const cursor = cursorOver(records, 100);
  while (cursor.next()) made.get(format)?.write(out, cursor, origin);
  return Buffer.from(out.view());
}

describe('lines', () => {
  it('is the values with their line ends', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1 }), (records) => {
        const expected = records.flatMap(({ value }) => [
          value ?? Buffer.alloc(0),
          Buffer.from('\n'),
        ]);
        expect(write('lines', records)).toEqual(Buffer.concat(expected));
      }),
    );
  });

  it('adds no line end to a part, and the bytes of another delimiter', () => {
    const other = ['x-host', Buffer.from('logflume.partial')] as const;
    const records = [
      { value: Buffer.from('begin '), headers: [other, ['logflume.partial', null]] },
      { value: Buffer.from('end'), headers: [other] },
      { value: Buffer.from('crlf'), headers: [['logflume.delimiter', Buffer.from('\r\n')]] },
      { value: Buffer.from('none'), headers: [['logflume.delimiter', Buffer.from('')]] },
      {
        value: Buffer.from('both'),
        headers: [
          ['logflume.delimiter', Buffer.from('|')],
          ['logflume.partial', null],
        ],
      },
    ] satisfies PlainRecord[];
    expect(write('lines', records).toString()).toBe('begin end\ncrlf\r\nnoneboth');
  });
});

describe('jsonl', () => {
  it('gives everything of a record back', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1 }), (records) => {
        const lines = write('jsonl', records).toString().split('\n');
        expect(lines.pop()).toBe('');
        const read = lines.map((line, i) => {
          const { headers, ...rest } = JSON.parse(line);
          expect(rest).toMatchObject({ topic: 'logs', partition: 7, offset: 100 + i });
          return {
            timestamp: rest.timestamp,
            key: bytesOf(rest, 'key'),
            value: bytesOf(rest, 'value'),
            headers: headers.map((one: { name: string }) => [one.name, bytesOf(one, 'value')]),
          };
        });
        expect(read).toEqual(records);
      }),
    );
  });
});

describe('eml', () => {
  it('is the value and nothing else', () => {
    fc.assert(
      fc.property(record, (one) => {
        expect(write('eml', [one])).toEqual(one.value ?? Buffer.alloc(0));
      }),
    );
  });
});

function bytesOf(object: object, name: string): Buffer | null {
  const fields = object as Record<string, string | null>;
  const encoded = fields[`${name}_base64`];
  if (typeof encoded === 'string') return Buffer.from(encoded, 'base64');
  const text = fields[name];
  return typeof text === 'string' ? Buffer.from(text) : null;
}
