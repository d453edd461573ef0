import { ErrorCode } from '../../protocol/index.js';

/** A producer's number and its generation, under which sequences run (KIP-98, KIP-360). */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** What the line knows of a batch. It is created once and changed only by the line's `step`. */
export interface MutableBatch {
  readonly recordCount: number;
  /** When its first record came, by the monotonic clock; milliseconds. */
  readonly createdMs: number;
  state: 'waiting' | 'inFlight' | 'settled';
  /** How often it has been sent. */
  attempts: number;
  /** Its first sequence and the identity it belongs to; undefined until it is first sent. */
  sequence: number | undefined;
  identity: ProducerIdentity | undefined;
  /** It was sent, and whether the broker wrote it is not known. */
  isInDoubt: boolean;
  /**
   * A part of a batch that was split although the broker may have written it. It carries its part
   * of that batch's sequences: the broker takes it only if it has not written the batch.
   */
  isDoubtfulPart: boolean;
  /** It was refused for its time: whenever it is sent again, it has the present one. */
  isTimeRefused: boolean;
  outcome: Outcome | undefined;
}

/** What others see of it. */
export type LineBatch = Readonly<MutableBatch>;

/** How a batch ended. */
export type Outcome =
  | {
      readonly type: 'delivered';
      /** -1: not known (acks 0, or a duplicate the broker no longer remembers). */
      readonly baseOffset: number;
      /** -1 where the topic keeps the records' own timestamps. */
      readonly logAppendTimeMs: number;
    }
  | { readonly type: 'failed'; readonly reason: FailureReason };

/** Why a batch was given up. */
export interface FailureReason {
  readonly code: 'REFUSED' | 'TIMED_OUT' | 'RETRIES_EXHAUSTED' | 'TOO_LARGE' | 'IN_DOUBT';
  /** Kafka's code of the last answer; NONE where none came. */
  readonly errorCode: number;
  readonly cause: Error | undefined;
}

export interface LineSettings {
  readonly isIdempotent: boolean;
  /** How many batches of this partition may wait for answers at once. */
  readonly maxInFlight: number;
  readonly retries: number;
  readonly deliveryTimeoutMs: number;
  /** A batch that is refused for its topic (not authorized …) waits instead of failing. */
  readonly waitsWhenRefused: boolean;
  /** A batch that is refused for its time is sent again with another one, in its place. */
  readonly restampsWhenRefused: boolean;
  /** How long to wait after the n-th failure in a row. */
  backoffMs(failures: number): number;
}

interface LineFields {
  readonly settings: LineSettings;
  /** Under which the next sequence runs. */
  identity: ProducerIdentity | undefined;
  nextSequence: number;
  inFlight: number;
  /**
   * The broker has taken a batch since the last failure, so it knows our sequences. Until then
   * batches go one by one: a broker that knows nothing of a producer takes any first sequence,
   * and would take the second batch for the first where that one was refused.
   */
  isProven: boolean;
  /** Sent batches wait to be sent again. */
  isRecovering: boolean;
  /** The broker does not follow our sequences: start anew under the next epoch. */
  mustReset: boolean;
  /** In a row. */
  failures: number;
  /** Nothing is sent before; monotonic milliseconds. */
  retryAtMs: number;
  /** Why the last batch was not taken: Kafka's code or what broke; undefined since one was. */
  lastError: number | Error | undefined;
}

/**
 * The batches of one partition in their order, and the sequences they carry.
 *
 * Order is kept by one rule: once a sent batch has to be sent again, nothing more is sent until
 * every other batch in flight has been answered too; then all of them go again, oldest first.
 */
export interface MutableLine<B extends MutableBatch> extends LineFields {
  /** Oldest first. The first one is never settled: settled ones leave from the front only. */
  readonly batches: B[];
}

/** What others see of it. */
export interface Line<B extends LineBatch> extends Readonly<LineFields> {
  readonly batches: readonly B[];
}

const MAX_SEQUENCE = 0x7fffffff;

export function createLine<B extends LineBatch>(settings: LineSettings): Line<B> {
  return {
    settings,
    batches: [],
    identity: undefined,
    nextSequence: 0,
    inFlight: 0,
    isProven: false,
    isRecovering: false,
    mustReset: false,
    failures: 0,
    retryAtMs: 0,
    lastError: undefined,
  };
}

/** `sequence + count`, which wraps from 2^31 - 1 to 0 as in Kafka. */
export function advanceSequence(sequence: number, count: number): number {
  return sequence > MAX_SEQUENCE - count ? count - (MAX_SEQUENCE - sequence) - 1 : sequence + count;
}

/** The sequence that a batch will carry which is queued now, if nothing fails before it. */
export function plannedSequence(line: Line<LineBatch>): number {
  let sequence = line.nextSequence;
  for (const batch of line.batches) {
    if (batch.sequence === undefined) sequence = advanceSequence(sequence, batch.recordCount);
  }
  return sequence;
}

/** Codes after which the batch may or may not be in the log. */
const inDoubtCodes: ReadonlySet<number> = new Set<number>([
  ErrorCode.UNKNOWN_SERVER_ERROR,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.KAFKA_STORAGE_ERROR,
]);

/** Whether a batch that got this answer may have been written all the same. */
export function leavesDoubt(errorCode: number): boolean {
  return inDoubtCodes.has(errorCode);
}
