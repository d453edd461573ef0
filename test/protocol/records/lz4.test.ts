import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { compress, decompress, RecordsError } from '../../../protocol/records/index.js';

const { compressSync, decompressFrameSync } = createRequire(import.meta.url)(
  'lz4-napi',
) as typeof import('lz4-napi');

const MAX_BYTES = 256 << 20;
const MEBIBYTE = 1 << 20;

/** The shape of a log: what repeats and what does not. */
function text(bytes: number): Buffer {
  let state = 1;
  const lines: string[] = [];
  for (let length = 0; length < bytes; length += lines.at(-1)!.length) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    lines.push(`Sun Dec 04 04:47:44 2005 [notice] workerEnv.init() ok, child ${state}\n`);
  }
  return Buffer.from(lines.join('')).subarray(0, bytes);
}

/** Sizes of the blocks of one frame without content size. */
function blockSizes(frame: Buffer): number[] {
  const sizes: number[] = [];
  for (let at = 7; ; at += 4 + (sizes.at(-1) ?? 0)) {
    const size = frame.readUInt32LE(at) & 0x7fffffff;
    if (size === 0) return sizes;
    sizes.push(size);
  }
}

function frameOf(code: number, blocks: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, code << 4, 0])];
  for (const block of blocks) {
    const compressed = compressSync(block).subarray(4);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(compressed.length);
    parts.push(size, compressed);
  }
  return Buffer.concat([...parts, Buffer.alloc(4)]);
}

describe('lz4 frames', () => {
  const sizes = [0, 1, 64 << 10, (64 << 10) + 1, 256 << 10, 300_000, MEBIBYTE, MEBIBYTE + 1];

  it.each([...sizes, 4 * MEBIBYTE])('are one block for %i bytes', (bytes) => {
    const content = text(bytes);
    const frame = compress('lz4', content);
    expect(blockSizes(frame)).toHaveLength(bytes === 0 ? 0 : 1);
    expect(decompress('lz4', frame, MAX_BYTES).equals(content)).toBe(true);
    // Another reader, which looks at the checksum of the frame's descriptor.
    expect(decompressFrameSync(frame).equals(content)).toBe(true);
  });

  it('are several blocks beyond four mebibytes', () => {
    const content = text(9 * MEBIBYTE);
    const frame = compress('lz4', content);
    expect(blockSizes(frame)).toHaveLength(3);
    expect(decompress('lz4', frame, MAX_BYTES).equals(content)).toBe(true);
    expect(decompressFrameSync(frame).equals(content)).toBe(true);
  });

  it('of other writers hold blocks that are not full', () => {
    const pieces = [text(10), text(65_536), text(300)];
    const frame = frameOf(4, pieces);
    const content = Buffer.concat(pieces);
    // Not measured, and measured.
    expect(decompress('lz4', frame, MAX_BYTES).equals(content)).toBe(true);
    expect(decompress('lz4', frame, content.length).equals(content)).toBe(true);
    expect(() => decompress('lz4', frame, content.length - 1)).toThrow(/decompresses to more/);
  });

  it('are refused where a block exceeds the maximum of its frame', () => {
    const frame = frameOf(4, [text(65_537)]);
    for (const maxBytes of [MAX_BYTES, 100_000]) {
      expect(() => decompress('lz4', frame, maxBytes)).toThrow(RecordsError);
    }
  });
});
