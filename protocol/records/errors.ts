/** What is wrong with a batch; stable, for callers to decide on. */
export type RecordsErrorCode =
  /** The bytes end before the batch does. */
  | 'TRUNCATED'
  /** A length, count or field contradicts the rest of the batch. */
  | 'MALFORMED'
  /** The checksum does not fit the content. */
  | 'CRC_MISMATCH'
  /** Not a batch of magic 2: message sets of Kafka before 0.11 are not supported. */
  | 'UNSUPPORTED_MAGIC'
  /** The attributes name a codec that does not exist. */
  | 'UNSUPPORTED_CODEC'
  /** The content, once decompressed, is larger than the caller allows. */
  | 'TOO_LARGE'
  /** The codec needs `await loadCodec(codec)` first. */
  | 'CODEC_NOT_LOADED';

/** Bytes that are no valid record batch, or that may not be opened. */
export class RecordsError extends Error {
  override readonly name = 'RecordsError';

  constructor(
    readonly code: RecordsErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
