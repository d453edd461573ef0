import type { ReadHeader, RecordCursor } from '../../protocol/records/index.js';
import { type Restored, ValueError, type ValueTypes } from '../values/index.js';
import type { FetchedBatch } from './fetched-batch.js';

/** One record, as `run` hands it to `onMessage`. Its bytes are never reused. */
export interface Message {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  /** null where the record has none (a tombstone). */
  readonly value: Buffer | null;
  /** Pairs of name and bytes, in their order; names may repeat. `send` takes them as they are. */
  readonly headers: readonly ReadHeader[];
  /** The value as its class, where the consumer has `values`; null where the value is null. */
  readonly content?: unknown;
}

/** The record that the cursor stands on. */
export function messageAt(batch: FetchedBatch, cursor: RecordCursor): Message {
  return {
    topic: batch.topic,
    partition: batch.partition,
    offset: cursor.offset,
    timestamp: cursor.timestamp,
    key: cursor.key(),
    value: cursor.value(),
    headers: cursor.headers(),
  };
}

/**
 * The record with its value restored; undefined where its type is not registered. Throws
 * ValueError where the bytes do not fit their type.
 */
export function typedMessageAt(
  batch: FetchedBatch,
  cursor: RecordCursor,
  values: ValueTypes,
): Message | undefined {
  const message = messageAt(batch, cursor);
  if (message.value === null) return { ...message, content: null };
  const restored = restore(message, message.value, values);
  return restored.isRestored ? { ...message, content: restored.value } : undefined;
}

function restore(message: Message, value: Buffer, values: ValueTypes): Restored {
  try {
    return values.restore(value, message.headers);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const { topic, partition, offset } = message;
    const where = `topic ${topic}, partition ${partition}, offset ${offset}`;
    throw new ValueError(error.code, `${where}: ${error.message}`, { cause: error.cause });
  }
}
