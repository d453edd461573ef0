import { constants } from 'node:buffer';
import { gunzipSync, gzipSync } from 'node:zlib';
import { RecordsError } from '../errors.js';
import { type Compressor, malformed, tooLarge } from './codec.js';

/** RFC 1952 by node:zlib; levels 1 to 9. */
export const gzip: Compressor = {
  compress: (input, level) => gzipSync(input, level === undefined ? undefined : { level }),

  decompress(input, maxBytes) {
    try {
      // node:zlib takes no bound of zero, and none beyond what a Buffer can hold.
      const maxOutputLength = Math.min(Math.max(1, maxBytes), constants.MAX_LENGTH);
      const output = gunzipSync(input, { maxOutputLength, chunkSize: chunkBytes(input, maxBytes) });
      if (output.length > maxBytes) throw tooLarge('gzip', maxBytes);
      return output;
    } catch (error) {
      if (error instanceof RecordsError) throw error;
      if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
        throw tooLarge('gzip', maxBytes);
      }
      throw malformed('gzip', error instanceof Error ? error.message : String(error), error);
    }
  },
};

/** What node:zlib writes into at first; it joins pieces of as much where that is too little. */
const MIN_CHUNK_BYTES = 16 * 1024;
/** Deflate's largest ratio: so much a stream can hold at most, whatever its trailer says. */
const MAX_RATIO = 1032;

/** Room for the whole content, by the size in the trailer (modulo 2^32), and a byte to end in. */
function chunkBytes(input: Buffer, maxBytes: number): number {
  const claimed = input.length < 18 ? 0 : input.readUInt32LE(input.length - 4);
  const possible = Math.min(claimed, maxBytes, input.length * MAX_RATIO);
  return Math.max(possible + 1, MIN_CHUNK_BYTES);
}
