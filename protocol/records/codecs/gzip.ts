import { gunzipSync, gzipSync } from 'node:zlib';
import { type Compressor, malformed, tooLarge } from './codec.js';

/** RFC 1952 by node:zlib; levels 1 to 9. */
export const gzip: Compressor = {
  compress: (input, level) => gzipSync(input, level === undefined ? undefined : { level }),

  decompress(input, maxBytes) {
    try {
      // node:zlib refuses a bound of zero; nothing decompresses to nothing but an empty stream.
      return gunzipSync(input, { maxOutputLength: Math.max(1, maxBytes) });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
        throw tooLarge('gzip', maxBytes);
      }
      throw malformed('gzip', error instanceof Error ? error.message : String(error), error);
    }
  },
};
