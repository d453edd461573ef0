import { RecordsError } from '../errors.js';

/** Codecs of record batches, by the number that the batch's attributes carry. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Codec = (typeof CODECS)[number];

/** One way of compression. Both directions return memory that the caller may keep. */
export interface Compressor {
  /** Where something must be loaded first; then `compress` and `decompress` are ready. */
  readonly load?: () => Promise<void>;
  readonly isLoaded?: () => boolean;
  compress(input: Buffer, level: number | undefined): Buffer;
  /** Throws RecordsError: TOO_LARGE beyond `maxBytes`, MALFORMED or TRUNCATED for bad input. */
  decompress(input: Buffer, maxBytes: number): Buffer;
}

/** The error for content that is larger than the caller allows. */
export function tooLarge(codec: Codec, maxBytes: number): RecordsError {
  return new RecordsError(
    'TOO_LARGE',
    `a ${codec} batch decompresses to more than the ${maxBytes} bytes allowed`,
  );
}

/** The error for input that is no stream of this codec. */
export function malformed(codec: Codec, detail: string, cause?: unknown): RecordsError {
  return new RecordsError('MALFORMED', `broken ${codec} batch: ${detail}`, { cause });
}

/** The error for input that ends too early. */
export function truncated(codec: Codec): RecordsError {
  return new RecordsError('TRUNCATED', `the ${codec} batch ends too early`);
}
