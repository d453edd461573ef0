import { createRequire } from 'node:module';
import { Duplex } from 'node:stream';

// Not imported: whoever mocks node:zlib with this would wait for itself.
const { constants, gunzipSync } = createRequire(import.meta.url)(
  'node:zlib',
) as typeof import('node:zlib');

/**
 * Stands in for `createGunzip` where time is virtual: the real one works on threads, which
 * virtual time does not wait for, so that a seed would not replay.
 */
export function createGunzip(): Duplex {
  return Duplex.from(async function* (source: AsyncIterable<Buffer>) {
    const chunks: Buffer[] = [];
    for await (const chunk of source) chunks.push(chunk);
    const all = Buffer.concat(chunks);
    try {
      yield gunzipSync(all);
    } catch (error) {
      const isCutOff = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
      const rest = isCutOff ? gunzipSync(all, { finishFlush: constants.Z_SYNC_FLUSH }) : [];
      if (rest.length > 0) yield rest;
      throw error;
    }
  });
}
