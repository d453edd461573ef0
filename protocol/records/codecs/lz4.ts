import { createRequire } from 'node:module';
import { RecordsError } from '../errors.js';
import { type Compressor, malformed } from './codec.js';
import { type Lz4Block, type Lz4Frame, lz4Frames } from './lz4-bounds.js';

type Lz4 = typeof import('lz4-napi');

/** Magic, version 1 with independent blocks, the blocks' maximum, checksum of these two. */
const FRAMES = [
  { blockBytes: 64 * 1024, header: Buffer.from('04224d18604082', 'hex') },
  { blockBytes: 256 * 1024, header: Buffer.from('04224d186050fb', 'hex') },
  { blockBytes: 1024 * 1024, header: Buffer.from('04224d18606051', 'hex') },
] as const;
const LARGEST_FRAME = { blockBytes: 4096 * 1024, header: Buffer.from('04224d18607073', 'hex') };
const END_MARK = Buffer.alloc(4);
const STORED_BLOCK_BIT = 0x80000000;
/** lz4-napi's blocks start with the size of their content, int32 little-endian. */
const SIZE_PREFIX_BYTES = 4;

const require = createRequire(import.meta.url);
let loaded: Lz4 | undefined;

/** The native module, loaded with the first batch: most processes need one codec or none. */
function native(): Lz4 {
  loaded ??= require('lz4-napi') as Lz4;
  return loaded;
}

/**
 * The LZ4 frame format. Written as Kafka's Java client needs it (KIP-57): one frame, independent
 * blocks, the descriptor's checksum; in one block where 4 MiB suffice, so that a reader need not
 * join any. Read: any number of frames, independent or linked blocks.
 *
 * Frames are taken apart here because lz4-napi decodes only the first of several, without a
 * bound, and five times slower than the blocks one by one. Checksums within the frame are not
 * looked at again: the batch's own covers them.
 */
export const lz4: Compressor = {
  compress(input) {
    const { header, blockBytes } =
      FRAMES.find((frame) => frame.blockBytes >= input.length) ?? LARGEST_FRAME;
    const chunks: Buffer[] = [header];
    for (let at = 0; at < input.length; at += blockBytes) {
      pushBlock(chunks, input.subarray(at, at + blockBytes));
    }
    chunks.push(END_MARK);
    return Buffer.concat(chunks);
  },

  decompress(input, maxBytes) {
    try {
      const parts: Buffer[] = [];
      for (const frame of lz4Frames(input, maxBytes)) decodeFrame(input, frame, parts);
      return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    } catch (error) {
      if (error instanceof RecordsError) throw error;
      throw malformed('lz4', error instanceof Error ? error.message : String(error), error);
    }
  },
};

function pushBlock(chunks: Buffer[], block: Buffer): void {
  const compressed = native().compressSync(block).subarray(SIZE_PREFIX_BYTES);
  const size = Buffer.allocUnsafe(4);
  if (compressed.length < block.length) {
    size.writeUInt32LE(compressed.length);
    chunks.push(size, compressed);
  } else {
    size.writeUInt32LE(block.length + STORED_BLOCK_BIT);
    chunks.push(size, block);
  }
}

function decodeFrame(input: Buffer, frame: Lz4Frame, parts: Buffer[]): void {
  if (frame.isLinked) {
    const content = native().decompressFrameSync(input.subarray(frame.start, frame.end));
    if (content.length !== frame.maxContentBytes) {
      throw malformed('lz4', `${content.length} bytes where its blocks hold others`);
    }
    parts.push(content);
    return;
  }
  for (const block of frame.blocks) parts.push(decodeBlock(input, block));
}

function decodeBlock(input: Buffer, block: Lz4Block): Buffer {
  const { start, end, isStored, maxContentBytes } = block;
  if (isStored) return Buffer.from(input.subarray(start, end));
  const prefixed = Buffer.allocUnsafe(SIZE_PREFIX_BYTES + end - start);
  // It may be larger than the content, and never smaller.
  prefixed.writeUInt32LE(maxContentBytes);
  input.copy(prefixed, SIZE_PREFIX_BYTES, start, end);
  return native().uncompressSync(prefixed);
}
