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
  /** The request's batches before this one used up what may be decompressed for it. */
  | 'REQUEST_TIMED_OUT'
  | 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  | 'INVALID_PRODUCER_EPOCH'
  | 'OFFSET_OUT_OF_RANGE'
  /** The file system is full; the log is consistent and takes appends again once there is room. */
  | 'DISK_FULL'
  /** No file can be opened; the log is consistent and goes on once a descriptor is free. */
  | 'NO_DESCRIPTORS'
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

/** Calls whose failure means that bytes may be lost that had been taken, whatever the code is. */
const SYNCS: ReadonlySet<unknown> = new Set(['sync', 'fsync', 'fdatasync']);

/** The disk's error as a LogError: DISK_FULL, NO_DESCRIPTORS where only that is missing. */
export function toStorageError(cause: unknown, what: string): LogError {
  if (cause instanceof LogError) return cause;
  const { code, syscall } = (cause instanceof Error ? cause : {}) as NodeJS.ErrnoException;
  if ((code === 'ENOSPC' || code === 'EDQUOT') && !SYNCS.has(syscall)) {
    const text = `${what}: the disk is full (bytes or inodes), make room`;
    return new LogError('DISK_FULL', text, { cause });
  }
  if (isOutOfDescriptors(cause)) {
    const remedy = 'raise ulimit -n (LimitNOFILE of the service)';
    const text = `${what}: no file descriptor is left, ${remedy}`;
    return new LogError('NO_DESCRIPTORS', text, { cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LogError('KAFKA_STORAGE_ERROR', `${what} (${reason}): check the disk`, { cause });
}

/** Whether a call of the system failed because no file can be opened. */
export function isOutOfDescriptors(error: unknown): boolean {
  const { code } = (error instanceof Error ? error : {}) as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

/** Whether something was lacking that comes back by itself; what the log holds is as before. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof LogError && (error.code === 'DISK_FULL' || error.code === 'NO_DESCRIPTORS')
  );
}
