/** Why a broker cannot start, or refuses an operation of the program that embeds it. */
export type BrokerErrorCode =
  | 'INVALID_OPTION'
  | 'INVALID_PROPERTIES'
  | 'METADATA_UNREADABLE'
  | 'WRONG_DIRECTORY'
  | 'CANNOT_LISTEN'
  | 'STOPPED';

/** An error of the broker as a whole; the message tells a person what to do. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';

  constructor(
    readonly code: BrokerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A refusal that a handler turns into an answer: one of Kafka's error codes with its reason. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    /** Kafka's error code. */
    readonly code: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
