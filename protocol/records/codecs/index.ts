import { RecordsError } from '../errors.js';
import { CODECS, type Codec, type Compressor } from './codec.js';
import { gzip } from './gzip.js';
import { lz4 } from './lz4.js';
import { snappy } from './snappy.js';
import { zstd } from './zstd.js';

export { CODECS, type Codec } from './codec.js';

const none: Compressor = {
  compress: (input) => Buffer.from(input),
  decompress: (input) => input,
};

const compressors: Readonly<Record<Codec, Compressor>> = { none, gzip, snappy, lz4, zstd };

/** Compresses the records part of a batch; `level` is the codec's own. The caller may keep it. */
export function compress(codec: Codec, input: Buffer, level?: number): Buffer {
  return compressors[codec].compress(input, level);
}

/**
 * Decompresses the records part of a batch, into memory that is the caller's alone; only `none`
 * hands back the input. Throws RecordsError TOO_LARGE where that would exceed `maxBytes`, before
 * it allocates more than that.
 */
export function decompress(codec: Codec, input: Buffer, maxBytes: number): Buffer {
  return compressors[codec].decompress(input, maxBytes);
}

/** Makes a codec ready. Only zstd on Node before 22.15 needs it; for all others it is a no-op. */
export async function loadCodec(codec: Codec): Promise<void> {
  await compressors[codec].load?.();
}

/** Whether `compress` and `decompress` may be called with this codec. */
export function isCodecLoaded(codec: Codec): boolean {
  return compressors[codec].isLoaded?.() ?? true;
}

/** The number that a batch's attributes carry for a codec. */
export function codecId(codec: Codec): number {
  return CODECS.indexOf(codec);
}

/** The codec by its number in the attributes; throws RecordsError where there is none. */
export function codecOf(id: number): Codec {
  const codec = CODECS[id];
  if (codec !== undefined) return codec;
  throw new RecordsError('UNSUPPORTED_CODEC', `record batch with unknown codec ${id}`);
}
