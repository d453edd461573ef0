import { createRequire } from 'node:module';
import { type Compressor, malformed, tooLarge, truncated } from './codec.js';
import { snappyContentBytes } from './snappy-bounds.js';

/** Raw snappy blocks, both ways. */
export interface RawSnappy {
  compress(input: Uint8Array): Uint8Array;
  uncompress(input: Uint8Array): Uint8Array;
}

/** Header of the stream that xerial's snappy-java writes: magic, version 1, compatible with 1. */
const XERIAL_HEADER = Buffer.from('82534e41505059000000000100000001', 'hex');
const XERIAL_MAGIC_BYTES = 8;

/** Output in memory of V8's own: measured five times as fast as memory handed over by Rust. */
const COPY_OUTPUT = { asBuffer: true, copyOutputData: true };

const require = createRequire(import.meta.url);
let loaded: RawSnappy | undefined;

/** Loaded with the first batch: the native module where it is installed, else the floor. */
function native(): RawSnappy {
  loaded ??= nativeSnappy() ?? floorSnappy();
  return loaded;
}

/** The optional native module; undefined where it is not installed. */
export function nativeSnappy(): RawSnappy | undefined {
  try {
    const { compressSync, uncompressSync } = require('snappy') as typeof import('snappy');
    return {
      compress: (input) => compressSync(input, COPY_OUTPUT),
      uncompress: (input) => uncompressSync(input, COPY_OUTPUT) as Buffer,
    };
  } catch {
    return undefined;
  }
}

/** snappyjs: no compiler, no binary, half the speed. */
export function floorSnappy(): RawSnappy {
  return require('snappyjs') as RawSnappy;
}

/**
 * Snappy as one raw block, which every client reads (Java falls back to it, librdkafka writes it,
 * @platformatic/kafka knows nothing else); xerial's stream, as Java writes it, is read too.
 */
export const snappy: Compressor = {
  compress: (input) => Buffer.from(native().compress(input)),

  decompress(input, maxBytes) {
    const xerial = input.subarray(0, XERIAL_MAGIC_BYTES);
    if (!xerial.equals(XERIAL_HEADER.subarray(0, XERIAL_MAGIC_BYTES))) {
      return uncompressBlocks([input], maxBytes);
    }
    return uncompressBlocks(xerialBlocks(input), maxBytes);
  },
};

function xerialBlocks(input: Buffer): Buffer[] {
  if (input.length < XERIAL_HEADER.length) throw truncated('snappy');
  const blocks: Buffer[] = [];
  let at = XERIAL_HEADER.length;
  while (at < input.length) {
    if (input.length - at < 4) throw truncated('snappy');
    const length = input.readInt32BE(at);
    at += 4;
    if (length < 0) throw malformed('snappy', `block with a length of ${length}`);
    if (length > input.length - at) throw truncated('snappy');
    blocks.push(input.subarray(at, at + length));
    at += length;
  }
  return blocks;
}

function uncompressBlocks(blocks: readonly Buffer[], maxBytes: number): Buffer {
  let total = 0;
  for (const block of blocks) {
    total += snappyContentBytes(block);
    if (total > maxBytes) throw tooLarge('snappy', maxBytes);
  }
  try {
    const [first] = blocks;
    if (first !== undefined && blocks.length === 1) return asBuffer(native().uncompress(first));
    const parts = blocks.map((block) => native().uncompress(block));
    return Buffer.concat(parts, total);
  } catch (error) {
    throw malformed('snappy', error instanceof Error ? error.message : String(error), error);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
