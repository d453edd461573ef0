import { ErrorCode, type ErrorName } from '../../protocol/index.js';
import { ApiError } from '../broker-error.js';
import { LogError, type LogErrorCode } from '../log/index.js';

/** Where the log has a code that Kafka has not. */
const ofLog: Readonly<Partial<Record<LogErrorCode, ErrorName>>> = {
  DISK_FULL: 'KAFKA_STORAGE_ERROR',
  NO_DESCRIPTORS: 'KAFKA_STORAGE_ERROR',
  INVALID_LOG_DIRECTORY: 'KAFKA_STORAGE_ERROR',
  LOG_CLOSED: 'NOT_LEADER_OR_FOLLOWER',
};

/** Kafka's code for an error of the log or of an operation. */
export function errorCodeOf(error: unknown): number {
  if (error instanceof ApiError) return error.code;
  if (!(error instanceof LogError)) return ErrorCode.UNKNOWN_SERVER_ERROR;
  const name = ofLog[error.code] ?? error.code;
  return name in ErrorCode ? ErrorCode[name as ErrorName] : ErrorCode.UNKNOWN_SERVER_ERROR;
}

/** The words that go with it; null for what is nobody else's business. */
export function messageOf(error: unknown): string | null {
  return error instanceof ApiError || error instanceof LogError ? error.message : null;
}
