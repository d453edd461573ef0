import { type Header, RecordCursor } from '../protocol/records/index.js';
import type { BatchFailure } from './producer.js';

/** A record as it was to be sent. */
export interface UnsentRecord {
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: readonly Header[];
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

/** A record that was given up, alone in its batch. */
export interface RefusedRecord extends UnsentRecord {
  /** Position among the records of the ticket. */
  readonly index: number;
  readonly error: Error;
}

/** What the producer and Kafka call what is wrong with a record itself. */
const ownFaults: ReadonlySet<string> = new Set([
  'TOO_LARGE',
  'BAD_VALUE',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'CORRUPT_MESSAGE',
  'INTERCEPTOR_FAILED',
]);

/**
 * Whether a record was refused for itself, so that it never will be taken: too large, invalid.
 * What is refused because the producer ends is read again. What is refused for its topic (missing,
 * not authorized), or for its time, which is this machine's when it was read, waits in the producer
 * and is never heard of here.
 */
export function isOwnFault(error: unknown): boolean {
  const code = codeOf(error) === 'REFUSED' ? causeOf(error) : codeOf(error);
  return code !== undefined && ownFaults.has(code);
}

/** Why it was refused, in a sentence. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The failures that concern `count` records of a ticket from `first` on. */
export function failuresAmong(
  failures: readonly BatchFailure[],
  first: number,
  count: number,
): BatchFailure[] {
  return failures.filter((one) => one.first < first + count && one.first + one.count > first);
}

/**
 * The record that was given up, copied out of its batch; undefined where it is not alone there,
 * so that it is not known which one is at fault.
 */
export function refusedRecord({ first, count, error }: BatchFailure): RefusedRecord | undefined {
  const batch: unknown = 'batch' in error ? error.batch : undefined;
  if (count !== 1 || !Buffer.isBuffer(batch)) return undefined;
  const cursor = new RecordCursor();
  cursor.open(batch, 0, maxRecordBytes);
  if (!cursor.next()) return undefined;
  const { bytes, keyStart, keyEnd, valueStart, valueEnd, timestamp } = cursor;
  return {
    key: keyEnd < 0 ? null : Buffer.from(bytes.subarray(keyStart, keyEnd)),
    value: Buffer.from(bytes.subarray(valueStart, Math.max(valueStart, valueEnd))),
    headers: cursor.headers().map(([name, value]) => [name, value && Buffer.from(value)]),
    timestamp,
    index: first,
    error,
  };
}

/** Beyond any record that an agent sends. */
const maxRecordBytes = 256 * 1024 * 1024;

function causeOf(error: unknown): string | undefined {
  return error instanceof Error ? codeOf(error.cause) : undefined;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
