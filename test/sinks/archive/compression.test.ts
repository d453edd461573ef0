import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { decompress } from '../../../protocol/records/index.js';
import { compressions } from '../../../sinks/archive/compression.js';
import { fc } from '../../fast-check.js';

beforeAll(() => compressions.zstd.load());

const slices = fc.array(
  fc.uint8Array({ minLength: 1, maxLength: 300 }).map((array) => Buffer.from(array)),
  { maxLength: 5 },
);

function read(name: keyof typeof compressions, file: Buffer, pieceBytes: number): Buffer {
  const parts: Buffer[] = [];
  const reader = compressions[name].reader((content) => parts.push(Buffer.from(content)));
  for (let at = 0; at < file.length; at += pieceBytes) {
    reader.push(file.subarray(at, at + pieceBytes));
  }
  reader.end();
  return Buffer.concat(parts);
}

describe.each(['none', 'gzip', 'zstd'] as const)('%s', (name) => {
  const fileOf = (parts: readonly Buffer[]) =>
    Buffer.concat(parts.map((part) => compressions[name].compressSlice(part)));

  it('gives the content back, however the file is cut', () => {
    fc.assert(
      fc.property(slices, fc.integer({ min: 1, max: 500 }), (parts, pieceBytes) => {
        expect(read(name, fileOf(parts), pieceBytes)).toEqual(Buffer.concat(parts));
      }),
    );
  });

  // Without compression there is nothing to notice: the hash does.
  if (name === 'none') return;

  it('notices a file that is cut off or damaged', () => {
    const content = Buffer.from('a line of a log\n'.repeat(20));
    const file = fileOf([content, content]);
    for (let length = 1; length < file.length; length += 1) {
      const isWhole = length === file.length / 2;
      if (!isWhole) expect(() => read(name, file.subarray(0, length), 64)).toThrow();
    }
    const damaged = Buffer.from(file);
    damaged[4] = 0xff;
    damaged[12] = 0xff;
    expect(() => read(name, damaged, 64)).toThrow();
  });
});

it('writes files that other tools read', () => {
  const parts = [Buffer.from('first\n'), Buffer.from('second\n')];
  const fileOf = (name: 'gzip' | 'zstd') =>
    Buffer.concat(parts.map((part) => compressions[name].compressSlice(part)));
  expect(gunzipSync(fileOf('gzip')).toString()).toBe('first\nsecond\n');
  expect(decompress('zstd', fileOf('zstd'), 1000).toString()).toBe('first\nsecond\n');
});
