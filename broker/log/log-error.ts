/** What is wrong. Where Kafka has an error of that name, `broker/api` answers with it. */
export type LogErrorCode =
  /** The checksum or the framing of a batch is wrong. */
  | 'CORRUPT_MESSAGE'
  /** The batch is whole, but says something it must not. */
  | 'INVALID_RECORD'
  | 'INVALID_TIMESTAMP'
  /** The batch belongs to a transaction, and there are none. */
  | 'INVALID_TXN_STATE'
  /** One batch is larger than `max.message.bytes`. */
  | 'MESSAGE_TOO_LARGE'
  /** The batches of one append are larger than `segment.bytes`. */
  | 'RECORD_LIST_TOO_LARGE'
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'INVALID_PRODUCER_EPOCH'
  | 'OFFSET_OUT_OF_RANGE'
  /** The file system is full; the log is consistent and takes appends again once there is room. */
  | 'DISK_FULL'
  /** The disk failed; nothing more is appended until the log has been opened anew. */
  | 'KAFKA_STORAGE_ERROR'
  /** The directory holds something that this log cannot be built from. */
  | 'INVALID_LOG_DIRECTORY'
  | 'LOG_CLOSED';

/** An error of the log, with a stable `code`. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The disk's error as a LogError: DISK_FULL where only room is missing. */
export function toStorageError(cause: unknown, what: string): LogError {
  if (cause instanceof LogError) return cause;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new LogError('DISK_FULL', `${what}: the disk is full, make room`, { cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LogError('KAFKA_STORAGE_ERROR', `${what} (${reason}): check the disk`, { cause });
}
