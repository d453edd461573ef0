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
      const output = gunzipSync(input, { maxOutputLength });
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
