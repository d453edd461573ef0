import type { ProducerRecord, RecordMetadata } from '../record.js';

/** A hand in the way of every record that a producer sends. Every part is optional. */
export interface Interceptor {
  readonly name: string;
  /** Called once, before the first record. */
  configure?(settings: { readonly clientId: string; now(): number }): void;
  /**
   * Sees a record before it becomes bytes and finds its partition; returns it, another one, or
   * null to drop it. One that throws is reported and passed over.
   */
  onSend?(record: ProducerRecord): ProducerRecord | null;
  /**
   * Hears of a record's end before the caller does: where it is, or why it is nowhere (then the
   * metadata's offset is -1).
   */
  onAcknowledgement?(metadata: RecordMetadata, error: Error | null): void;
  /** Called once, after the last record. */
  close?(): void;
}
