import { malformed, tooLarge, truncated } from './codec.js';

/** LZ4 frame format 1.6: magic numbers, little-endian. */
const FRAME_MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;

const VERSION_BITS = 0x40;
const VERSION_MASK = 0xc0;
const INDEPENDENT_BLOCKS_BIT = 0x20;
const BLOCK_CHECKSUM_BIT = 0x10;
const CONTENT_SIZE_BIT = 0x08;
const CONTENT_CHECKSUM_BIT = 0x04;
const DICTIONARY_BIT = 0x01;
const STORED_BLOCK_BIT = 0x80000000;
const MIN_MATCH_BYTES = 4;
/** Block maximum size codes 4 to 7: 64 KiB, 256 KiB, 1 MiB, 4 MiB. */
const BLOCK_MAX_BYTES = [65_536, 262_144, 1_048_576, 4_194_304];

/** One block of a frame: where its data stands in the input. */
export interface Lz4Block {
  readonly start: number;
  readonly end: number;
  /** Kept as it is, not compressed. */
  readonly isStored: boolean;
  /** Size of its content, bytes; exact. */
  readonly contentBytes: number;
}

/** One frame among those that are concatenated. */
export interface Lz4Frame {
  readonly start: number;
  readonly end: number;
  readonly contentBytes: number;
  /** Blocks may refer to the content of the blocks before. */
  readonly isLinked: boolean;
  readonly blocks: readonly Lz4Block[];
}

/**
 * Finds the frames in `input` and what they will decompress to, without decompressing: the
 * lengths in the blocks are added up. So a bomb is refused before anything is allocated for it.
 */
export function lz4Frames(input: Buffer, maxBytes: number): Lz4Frame[] {
  const frames: Lz4Frame[] = [];
  let at = 0;
  let total = 0;
  while (at < input.length) {
    const magic = uint32(input, at);
    if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + uint32(input, at + 4);
      if (at > input.length) throw truncated('lz4');
      continue;
    }
    if (magic !== FRAME_MAGIC) throw malformed('lz4', 'no frame magic');
    const frame = measureFrame(input, at, maxBytes - total);
    frames.push(frame);
    total += frame.contentBytes;
    at = frame.end;
  }
  return frames;
}

function measureFrame(input: Buffer, start: number, maxBytes: number): Lz4Frame {
  if (input.length - start < 7) throw truncated('lz4');
  const flags = input[start + 4] as number;
  if ((flags & VERSION_MASK) !== VERSION_BITS) throw malformed('lz4', 'unknown frame version');
  if ((flags & DICTIONARY_BIT) !== 0) throw malformed('lz4', 'needs a dictionary');
  const blockMaxBytes = BLOCK_MAX_BYTES[(((input[start + 5] as number) >> 4) & 0x07) - 4];
  if (blockMaxBytes === undefined) throw malformed('lz4', 'unknown block size');
  const blockTrailerBytes = (flags & BLOCK_CHECKSUM_BIT) !== 0 ? 4 : 0;
  let at = start + 7 + ((flags & CONTENT_SIZE_BIT) !== 0 ? 8 : 0);
  const blocks: Lz4Block[] = [];
  let contentBytes = 0;
  for (;;) {
    const word = uint32(input, at);
    at += 4;
    if (word === 0) break;
    const block = measureBlock(input, at, word);
    if (block.contentBytes > blockMaxBytes) throw malformed('lz4', 'a block exceeds its maximum');
    blocks.push(block);
    contentBytes += block.contentBytes;
    if (contentBytes > maxBytes) throw tooLarge('lz4', maxBytes);
    at = block.end + blockTrailerBytes;
  }
  at += (flags & CONTENT_CHECKSUM_BIT) !== 0 ? 4 : 0;
  if (at > input.length) throw truncated('lz4');
  const isLinked = (flags & INDEPENDENT_BLOCKS_BIT) === 0;
  return { start, end: at, contentBytes, isLinked, blocks };
}

function measureBlock(input: Buffer, start: number, sizeWord: number): Lz4Block {
  const isStored = sizeWord >= STORED_BLOCK_BIT;
  const end = start + (isStored ? sizeWord - STORED_BLOCK_BIT : sizeWord);
  if (end > input.length) throw truncated('lz4');
  const contentBytes = isStored ? end - start : measureSequences(input, start, end);
  return { start, end, isStored, contentBytes };
}

/** Adds up the literals and matches of one compressed block. */
function measureSequences(input: Buffer, start: number, end: number): number {
  let at = start;
  let total = 0;
  while (at < end) {
    const token = input[at++] as number;
    let literals = token >> 4;
    if (literals === 15) {
      let byte: number;
      do {
        if (at >= end) throw truncated('lz4');
        byte = input[at++] as number;
        literals += byte;
      } while (byte === 255);
    }
    at += literals;
    total += literals;
    if (at > end) throw truncated('lz4');
    // The last sequence of a block has literals only.
    if (at === end) break;
    at += 2;
    let match = token & 0x0f;
    if (match === 15) {
      let byte: number;
      do {
        if (at >= end) throw truncated('lz4');
        byte = input[at++] as number;
        match += byte;
      } while (byte === 255);
    }
    if (at > end) throw truncated('lz4');
    total += match + MIN_MATCH_BYTES;
  }
  return total;
}

function uint32(input: Buffer, at: number): number {
  if (at + 4 > input.length) throw truncated('lz4');
  return input.readUInt32LE(at);
}
