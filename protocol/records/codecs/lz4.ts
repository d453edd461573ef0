import { createRequire } from 'node:module';
import { type Compressor, malformed } from './codec.js';
import { lz4Frames } from './lz4-bounds.js';

type Lz4 = typeof import('lz4-napi');

const require = createRequire(import.meta.url);
let loaded: Lz4 | undefined;

/** The native module, loaded with the first batch: most processes need one codec or none. */
function native(): Lz4 {
  loaded ??= require('lz4-napi') as Lz4;
  return loaded;
}

/**
 * The LZ4 frame format. Written as Kafka's Java client reads it (KIP-57): one frame, independent
 * blocks, the descriptor's checksum. Read: any number of frames, independent or linked blocks.
 * lz4-napi decodes the first frame only and without a bound, hence `lz4Frames`.
 */
export const lz4: Compressor = {
  compress: (input) => native().compressFrameSync(input),

  decompress(input, maxBytes) {
    const parts = lz4Frames(input, maxBytes).map(({ start, end, contentBytes }) => {
      const part = decodeFrame(input.subarray(start, end));
      if (part.length !== contentBytes) throw malformed('lz4', 'its lengths contradict its blocks');
      return part;
    });
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  },
};

function decodeFrame(frame: Buffer): Buffer {
  try {
    return native().decompressFrameSync(frame);
  } catch (error) {
    throw malformed('lz4', error instanceof Error ? error.message : String(error), error);
  }
}
