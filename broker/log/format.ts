/**
 * Names and constants of Apache Kafka's log directory. Pure; see docs/formats/log-directory.md.
 */
import {
  BATCH_LENGTH_AT,
  LAST_OFFSET_DELTA_AT,
  LOG_OVERHEAD_BYTES,
  writeInt64 as putInt64,
  readInt64,
} from '../../protocol/records/index.js';

/** Suffixes of the files of one segment; the name before is its base offset in 20 digits. */
export const LOG_SUFFIX = '.log';
export const OFFSET_INDEX_SUFFIX = '.index';
export const TIME_INDEX_SUFFIX = '.timeindex';
export const ABORTED_INDEX_SUFFIX = '.txnindex';
export const SNAPSHOT_SUFFIX = '.snapshot';
/** Ours, beside a snapshot: the batches of each producer that have no place in it. */
export const SEQUENCES_SUFFIX = '.sequences';

/** Added to a name whose file is removed after `file.delete.delay.ms`. */
export const DELETED_SUFFIX = '.deleted';
/** Added to the kept copy of a file in which valid batches follow bad bytes. */
export const CORRUPT_SUFFIX = '.corrupt';
/** Output of an interrupted compaction; dropped at start. */
export const CLEANED_SUFFIX = '.cleaned';
/** Output of a finished compaction that has yet to replace its segments. */
export const SWAP_SUFFIX = '.swap';
/** Ends the directory name of a deleted topic's partition. */
export const DELETE_DIRECTORY_SUFFIX = '-delete';

/** Files of a partition's directory. */
export const PARTITION_METADATA = 'partition.metadata';
export const LEADER_EPOCH_CHECKPOINT = 'leader-epoch-checkpoint';

/** Files of the log directory itself. */
export const META_PROPERTIES = 'meta.properties';
export const CLEAN_SHUTDOWN = '.kafka_cleanshutdown';
export const RECOVERY_POINT_CHECKPOINT = 'recovery-point-offset-checkpoint';
export const REPLICATION_CHECKPOINT = 'replication-offset-checkpoint';
export const LOG_START_CHECKPOINT = 'log-start-offset-checkpoint';

/** Bytes of an offset index entry: int32 last offset - base, int32 position. */
export const OFFSET_ENTRY_BYTES = 8;
/** Bytes of a time index entry: int64 timestamp, int32 last offset - base. */
export const TIME_ENTRY_BYTES = 12;

const MAX_INT32 = 2 ** 31 - 1;
const SEGMENT_NAME = /^(\d{20})(\.[a-z]+)$/;
const PARTITION_NAME = /^(.+)-(\d+)$/;

/** `00000000000000000042.log` for 42 and `.log`. */
export function segmentFileName(baseOffset: number, suffix: string): string {
  return `${baseOffset.toString().padStart(20, '0')}${suffix}`;
}

/** The base offset and suffix of a segment's file; undefined for any other name. */
export function parseSegmentFileName(
  name: string,
): { baseOffset: number; suffix: string } | undefined {
  const [, digits, suffix] = SEGMENT_NAME.exec(name) ?? [];
  if (digits === undefined || suffix === undefined) return undefined;
  return { baseOffset: Number(digits), suffix };
}

/** `app-logs-3` for partition 3 of app-logs. */
export function partitionDirectoryName(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

/** Topic and partition of a directory's name; undefined where it is no partition's. */
export function parsePartitionDirectoryName(
  name: string,
): { topic: string; partition: number } | undefined {
  const [, topic, partition] = PARTITION_NAME.exec(name) ?? [];
  if (topic === undefined || partition === undefined) return undefined;
  const number = Number(partition);
  return number <= MAX_INT32 ? { topic, partition: number } : undefined;
}

/** Whether `offset` fits an index entry, which holds 31 bits relative to the base. */
export function fitsIndex(baseOffset: number, offset: number): boolean {
  return offset - baseOffset <= MAX_INT32;
}

export { readInt64 };

/** Writes a number as a big-endian int64. */
export function writeInt64(bytes: Buffer, value: number, at: number): void {
  putInt64(bytes, at, value);
}

/** Whole size of the batch whose header starts at `at`. */
export function batchSizeAt(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at + BATCH_LENGTH_AT) + LOG_OVERHEAD_BYTES;
}

/** Last offset of the batch whose header starts at `at`. */
export function lastOffsetAt(bytes: Buffer, at: number): number {
  return readInt64(bytes, at) + bytes.readInt32BE(at + LAST_OFFSET_DELTA_AT);
}
