/** Headers as a caller may give them; strings are sent as UTF-8. */
export type HeadersInput =
  | Readonly<Record<string, string | Uint8Array | null>>
  | readonly (readonly [name: string, value: string | Uint8Array | null])[];

/** One record to send. */
export interface ProducerRecord {
  readonly topic: string;
  /** Default: the partitioner chooses. */
  readonly partition?: number;
  readonly key?: string | Uint8Array | null;
  /** Text, bytes, null, or anything that the producer's `values` know how to encode. */
  readonly value: unknown;
  readonly headers?: HeadersInput;
  /** Milliseconds since the epoch. Default: now. */
  readonly timestamp?: number;
}

/** Where a record ended up. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1 where the broker did not say (acks 0). */
  readonly offset: number;
  /** Milliseconds; the time of the append where the topic is set so. */
  readonly timestamp: number;
}
