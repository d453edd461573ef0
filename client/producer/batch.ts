import {
  BATCH_HEADER_BYTES,
  BatchWriter,
  type CloseOptions,
  encodeHeaders,
  RecordCursor,
  readBatchHeader,
  stampProducer,
} from '../../protocol/records/index.js';
import type { LineBatch, Outcome, ProducerIdentity } from './line.js';
import type { ProducerSettings } from './options.js';
import type { Ticket } from './ticket.js';

/** A finished batch on its way to the broker. */
export interface Batch extends LineBatch {
  bytes: Buffer;
  /** What it counts for in the producer's memory. */
  readonly retainedBytes: number;
  readonly ticket: Ticket;
  /** Position of its first record among those of the ticket. */
  readonly firstInTicket: number;
  /** What stands in `bytes` now. */
  stamped: { identity: ProducerIdentity | undefined; sequence: number };
}

/** The identity in batches of a producer without idempotence. */
export const anonymous: ProducerIdentity = { producerId: -1, producerEpoch: -1 };

export function createBatch(fields: {
  bytes: Buffer;
  retainedBytes: number;
  recordCount: number;
  createdMs: number;
  ticket: Ticket;
  firstInTicket: number;
  stamped: Batch['stamped'];
}): Batch {
  return {
    ...fields,
    state: 'waiting',
    attempts: 0,
    sequence: undefined,
    identity: undefined,
    isInDoubt: false,
    isDoubtfulPart: false,
    isTimeRefused: false,
    outcome: undefined as Outcome | undefined,
  };
}

/** Writes the sequence that the line gave a batch into its bytes, where it is not there yet. */
export function stampSequence(batch: Batch): void {
  const { identity, sequence, stamped } = batch;
  if (identity === undefined || sequence === undefined) return;
  if (
    stamped.sequence === sequence &&
    stamped.identity?.producerId === identity.producerId &&
    stamped.identity.producerEpoch === identity.producerEpoch
  ) {
    return;
  }
  // The old bytes may still wait in the socket of a broken connection: theirs must not change.
  if (batch.attempts > 1) batch.bytes = Buffer.from(batch.bytes);
  stampProducer(batch.bytes, 0, { ...identity, baseSequence: sequence });
  batch.stamped = { identity, sequence };
}

/** What it takes to write a batch anew. */
type RewriteSettings = Pick<
  ProducerSettings,
  'compressionLevel' | 'batchBytes' | 'maxRequestBytes'
>;

/**
 * Gives all records of a batch this time (milliseconds), with the sequence that the line gave it.
 * They are written anew: where the clock was set while the batch was filled, a shift of its header
 * would leave some of them far away.
 */
export function restampBatch(batch: Batch, timestamp: number, settings: RewriteSettings): void {
  const { identity = anonymous, sequence = -1 } = batch;
  const cursor = cursorOf(batch, settings);
  // A delta of 0 is the shortest, so they need no more room than before.
  const writer = new BatchWriter(BATCH_HEADER_BYTES + cursor.bytes.length);
  while (cursor.next()) copyRecord(cursor, writer, timestamp);
  const options = closeOptions(batch, settings);
  batch.bytes = writer.close({ ...options, ...identity, baseSequence: sequence });
  batch.stamped = { identity, sequence };
}

/** A batch's records as two batches; it must have two at least. */
export function splitBatch(batch: Batch, settings: RewriteSettings): [Batch, Batch] {
  const cursor = cursorOf(batch, settings);
  const firstCount = batch.recordCount >> 1;
  const capacity = Math.max(cursor.bytes.length * 2, 1024);
  const parts = [firstCount, batch.recordCount - firstCount].map((count, index) => {
    const writer = new BatchWriter(capacity);
    for (let i = 0; i < count && cursor.next(); i++) copyRecord(cursor, writer, cursor.timestamp);
    const options = closeOptions(batch, settings);
    const bytes = Buffer.from(writer.close({ ...options, ...anonymous, baseSequence: -1 }));
    return createBatch({
      bytes,
      retainedBytes: bytes.length,
      recordCount: count,
      createdMs: batch.createdMs,
      ticket: batch.ticket,
      firstInTicket: batch.firstInTicket + (index === 0 ? 0 : firstCount),
      stamped: { identity: anonymous, sequence: -1 },
    });
  });
  return parts as [Batch, Batch];
}

function cursorOf({ bytes }: Batch, settings: RewriteSettings): RecordCursor {
  const cursor = new RecordCursor();
  cursor.open(bytes, 0, Math.max(settings.batchBytes, settings.maxRequestBytes));
  return cursor;
}

function closeOptions(
  { bytes }: Batch,
  { compressionLevel: level }: RewriteSettings,
): Pick<CloseOptions, 'codec' | 'level'> {
  const { codec } = readBatchHeader(bytes, 0);
  return { codec, ...(level !== undefined && { level }) };
}

function copyRecord(cursor: RecordCursor, writer: BatchWriter, timestamp: number): void {
  writer.tryAppend(
    timestamp,
    cursor.keyEnd < 0 ? null : cursor.bytes,
    cursor.keyStart,
    cursor.keyEnd,
    cursor.valueEnd < 0 ? null : cursor.bytes,
    cursor.valueStart,
    cursor.valueEnd,
    cursor.headerCount === 0 ? null : encodeHeaders(cursor.headers()),
  );
}
