import { ErrorCode, errorName } from '../../protocol/index.js';
import { BrokerError, ClientError } from '../errors.js';
import type { FailureReason } from './line.js';
import type { ProducerRecord, RecordMetadata } from './record.js';

/** Why the producer cannot take or deliver something; stable. */
export type ProducerErrorCode =
  /** The broker refused the batch; `cause` names its reason. */
  | 'REFUSED'
  /** Not delivered within `deliveryTimeoutMs`; it may have been written all the same. */
  | 'TIMED_OUT'
  /** Failed more often than `retries` allows. */
  | 'RETRIES_EXHAUSTED'
  /**
   * It was sent, its answer was lost, and what was sent again was refused: the broker has written
   * it, as far as sequences tell.
   */
  | 'IN_DOUBT'
  /** A single record is larger than `maxRequestBytes` or than the broker takes. */
  | 'TOO_LARGE'
  /** `maxMemoryBytes` are in use and the producer is set to fail rather than wait. */
  | 'MEMORY_FULL'
  /** The topic's partitions did not become known in time. */
  | 'NO_METADATA'
  /** The record names a partition that the topic does not have, or none where it must. */
  | 'BAD_PARTITION'
  /** A value, key or header of a kind that has no bytes. */
  | 'BAD_VALUE'
  /** The producer is closed, or was stopped by `cause`. */
  | 'CLOSED';

/** Something could not be delivered. */
export class ProducerError extends ClientError {
  override readonly name: string = 'ProducerError';

  constructor(
    override readonly code: ProducerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, code === 'TIMED_OUT' || code === 'MEMORY_FULL', options);
  }
}

/** A batch that was given up, with its bytes (one record batch of magic 2). */
export class BatchError extends ProducerError {
  override readonly name = 'BatchError';

  constructor(
    code: ProducerErrorCode,
    message: string,
    readonly batch: Buffer,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

/** Of the records of one `send` some were not delivered: those, with why, and the others. */
export class DeliveryError extends ProducerError {
  override readonly name = 'DeliveryError';

  constructor(
    readonly failures: readonly { readonly record: ProducerRecord; readonly reason: Error }[],
    readonly delivered: readonly RecordMetadata[],
  ) {
    const first = failures[0]?.reason;
    const code = first instanceof ProducerError ? first.code : 'BAD_VALUE';
    const total = failures.length + delivered.length;
    const what = total === 1 ? 'the record was' : `${failures.length} of ${total} records were`;
    super(code, `${what} not delivered: ${first?.message ?? 'unknown reason'}`, { cause: first });
  }
}

/** The error for a batch that was given up. */
export function batchError(
  reason: FailureReason,
  place: { readonly topic: string; readonly partition: number },
  bytes: Buffer,
): BatchError {
  const { code, errorCode } = reason;
  const where = `topic ${place.topic}, partition ${place.partition}`;
  const cause = errorCode === ErrorCode.NONE ? reason.cause : new BrokerError(errorCode, where);
  const last =
    errorCode === ErrorCode.NONE ? (cause?.message ?? 'no answer') : errorName(errorCode);
  const words: Record<FailureReason['code'], string> = {
    REFUSED: `${where}: the broker refused the batch (${last})`,
    TIMED_OUT: `${where}: not delivered in time; last: ${last}`,
    RETRIES_EXHAUSTED: `${where}: not delivered after the last retry; last: ${last}`,
    IN_DOUBT: `${where}: an answer was lost, and the repeat refused: it is probably written`,
    TOO_LARGE: `${where}: the record is larger than max.message.bytes allows`,
  };
  return new BatchError(code, words[code], bytes, { cause });
}
