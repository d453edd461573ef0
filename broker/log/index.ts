export {
  decodePartitionOffsets,
  encodePartitionOffsets,
  type PartitionOffset,
} from './checkpoint.js';
export type { LogEnvironment } from './environment.js';
export type { EpochEnd } from './epochs.js';
export {
  CLEAN_SHUTDOWN,
  DELETE_DIRECTORY_SUFFIX,
  LOG_START_CHECKPOINT,
  META_PROPERTIES,
  PARTITION_METADATA,
  parsePartitionDirectoryName,
  partitionDirectoryName,
  RECOVERY_POINT_CHECKPOINT,
  REPLICATION_CHECKPOINT,
} from './format.js';
export { type DecompressionBudget, decompressionBudget } from './incoming.js';
export { Log } from './log.js';
export { isOutOfDescriptors, LogError, type LogErrorCode, toStorageError } from './log-error.js';
export type {
  AppendResult,
  LogOptions,
  TimestampedOffset,
} from './log-options.js';
export { type CleanupPolicy, defaultLogSettings, type LogSettings } from './settings.js';
export { TailMemory } from './tail-memory.js';
export { Turns } from './turns.js';
