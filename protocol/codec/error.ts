/** Why bytes could not be read, or a value could not be written. */
export type ProtocolErrorCode =
  /** A length points beyond the bytes that are there. */
  | 'TRUNCATED'
  /** The bytes cannot be what they claim to be. */
  | 'MALFORMED'
  /** A frame is larger than the receiver accepts. */
  | 'TOO_LARGE'
  /** A value does not fit the field it is to be written to. */
  | 'OUT_OF_RANGE'
  /** The message has no such version. */
  | 'UNSUPPORTED_VERSION';

/** The one error this part throws for input; the peer, not the program, is at fault. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';

  constructor(
    readonly code: ProtocolErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
