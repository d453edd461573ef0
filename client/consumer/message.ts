import type { ReadHeader, RecordCursor } from '../../protocol/records/index.js';
import type { FetchedBatch } from './fetched-batch.js';

/** One record, as `run` hands it to `onMessage`. Its bytes are never reused. */
export interface Message {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly ReadHeader[];
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
