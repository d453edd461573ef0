import { malformed, truncated } from './codec.js';

/** Zstandard frames (RFC 8878); little-endian. */
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;

const SINGLE_SEGMENT_BIT = 0x20;
const RESERVED_BIT = 0x08;
const CHECKSUM_BIT = 0x04;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const MAX_BLOCK_BYTES = 128 * 1024;
/** Larger windows (128 MiB) need a decoder's explicit consent; nobody sends them to Kafka. */
const MAX_WINDOW_LOG = 27;

const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;

/** One frame among those that are concatenated. */
export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** The content is at most this large; bytes. */
  readonly maxContentBytes: number;
  /** The frame says that its content is exactly that large. */
  readonly isExact: boolean;
}

/**
 * Finds the frames in `input` and bounds what they decompress to, without decompressing: by the
 * content size where a frame carries one, else by its blocks.
 */
export function zstdFrames(input: Buffer): ZstdFrame[] {
  const frames: ZstdFrame[] = [];
  let at = 0;
  while (at < input.length) {
    if (input.length - at < 8) throw truncated('zstd');
    const magic = input.readUInt32LE(at);
    if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + input.readUInt32LE(at + 4);
      if (at > input.length) throw truncated('zstd');
      continue;
    }
    if (magic !== FRAME_MAGIC) throw malformed('zstd', 'no frame magic');
    const frame = measureFrame(input, at);
    frames.push(frame);
    at = frame.end;
  }
  return frames;
}

function measureFrame(input: Buffer, start: number): ZstdFrame {
  const descriptor = input[start + 4] as number;
  if ((descriptor & RESERVED_BIT) !== 0) throw malformed('zstd', 'reserved bit is set');
  const singleSegment = (descriptor & SINGLE_SEGMENT_BIT) !== 0;
  const dictionaryBytes = DICTIONARY_ID_BYTES[descriptor & 0x03] as number;
  const sizeCode = descriptor >> 6;
  const sizeBytes = sizeCode === 0 && singleSegment ? 1 : (CONTENT_SIZE_BYTES[sizeCode] as number);
  const windowBytes = singleSegment ? 0 : 1;
  if (windowBytes === 1 && ((input[start + 5] as number) >> 3) + 10 > MAX_WINDOW_LOG) {
    throw malformed('zstd', 'its window is larger than 128 MiB');
  }
  const sizeAt = start + 5 + windowBytes + dictionaryBytes;
  const firstBlock = sizeAt + sizeBytes;
  if (firstBlock > input.length) throw truncated('zstd');
  if (dictionaryBytes > 0 && input.readUIntLE(sizeAt - dictionaryBytes, dictionaryBytes) !== 0) {
    throw malformed('zstd', 'needs a dictionary');
  }
  const contentBytes = readContentSize(input, sizeAt, sizeBytes);
  const blocks = measureBlocks(input, firstBlock);
  // Blocks that cannot fill the claimed size would be refused only after its memory is taken.
  if (contentBytes !== undefined && contentBytes > blocks.maxBytes) {
    throw malformed('zstd', 'its blocks cannot hold its content');
  }
  const end = blocks.end + ((descriptor & CHECKSUM_BIT) !== 0 ? 4 : 0);
  if (end > input.length) throw truncated('zstd');
  return {
    start,
    end,
    maxContentBytes: contentBytes ?? blocks.maxBytes,
    isExact: contentBytes !== undefined,
  };
}

function readContentSize(input: Buffer, at: number, sizeBytes: number): number | undefined {
  switch (sizeBytes) {
    case 0:
      return undefined;
    case 1:
      return input[at];
    case 2:
      return input.readUInt16LE(at) + 256;
    case 4:
      return input.readUInt32LE(at);
    default:
      return input.readUInt32LE(at) + input.readUInt32LE(at + 4) * 0x100000000;
  }
}

function measureBlocks(input: Buffer, start: number): { end: number; maxBytes: number } {
  let at = start;
  let maxBytes = 0;
  for (;;) {
    if (at + 3 > input.length) throw truncated('zstd');
    const header = input.readUIntLE(at, 3);
    const type = (header >> 1) & 0x03;
    const size = header >> 3;
    if (type === BLOCK_RESERVED) throw malformed('zstd', 'reserved block type');
    at += 3 + (type === BLOCK_RLE ? 1 : size);
    maxBytes += type <= BLOCK_RLE ? Math.min(size, MAX_BLOCK_BYTES) : MAX_BLOCK_BYTES;
    if (at > input.length) throw truncated('zstd');
    if ((header & 1) === 1) return { end: at, maxBytes };
  }
}
