import { ErrorCode, isRetriable } from '../../protocol/index.js';
import {
  advanceSequence,
  type FailureReason,
  type Line,
  type LineBatch,
  leavesDoubt,
  type MutableBatch,
  type MutableLine,
  type Outcome,
  type ProducerIdentity,
} from './line.js';

/** What happens to a line. */
export type LineEvent<B> =
  | { readonly type: 'queued'; readonly batch: B }
  | {
      readonly type: 'answered';
      readonly batch: B;
      readonly errorCode: number;
      readonly baseOffset: number;
      readonly logAppendTimeMs: number;
    }
  /** No answer came: the connection broke, or time is up. */
  | { readonly type: 'lost'; readonly batch: B; readonly cause: Error }
  /** Halves of a batch that was too large, to be sent in its place. */
  | { readonly type: 'split'; readonly batch: B; readonly halves: readonly B[] }
  /** Time has passed: give up what is older than the delivery timeout. */
  | { readonly type: 'expire' }
  /** The producer ends: nothing of it is sent any more. */
  | { readonly type: 'abandon'; readonly reason: Error };

/** What the shell has to do. */
export type LineEffect<B> =
  | { readonly type: 'settled'; readonly batch: B; readonly outcome: Outcome }
  /** It is given up, whatever state it is in. */
  | { readonly type: 'abandoned'; readonly batch: B; readonly reason: Error }
  /** Cut the batch in two and answer with a `split` event, at once. */
  | { readonly type: 'split'; readonly batch: B }
  | { readonly type: 'refreshMetadata' }
  | { readonly type: 'newProducerId' };

const MAX_EPOCH = 0x7fff;
/** Bytes are damaged on their way now and then; those that are refused so often were before. */
const CORRUPT_ATTEMPTS = 5;

/**
 * What an event does to a line; deterministic, without I/O.
 *
 * @param state as `createLine` made it.
 * @param now monotonic milliseconds.
 */
export function step<B extends LineBatch>(
  state: Line<B>,
  event: LineEvent<B>,
  now: number,
): readonly LineEffect<B>[] {
  const line = state as MutableLine<B>;
  const effects: LineEffect<B>[] = [];
  switch (event.type) {
    case 'queued':
      line.batches.push(event.batch);
      break;
    case 'answered':
      line.inFlight--;
      answered(line, event, now, effects);
      break;
    case 'lost':
      line.inFlight--;
      lose(line, event.batch, event.cause, now);
      effects.push({ type: 'refreshMetadata' });
      break;
    case 'split':
      replace(line, event.batch, event.halves);
      break;
    case 'expire':
      expire(line, now);
      break;
    case 'abandon':
      abandon(line, event.reason, effects);
  }
  settleFront(line, effects);
  return effects;
}

/** Whether the line would let a waiting batch go now. */
export function maySend(line: Line<LineBatch>, nowMs: number): boolean {
  const limit = line.isProven ? line.settings.maxInFlight : 1;
  if (line.inFlight >= limit || nowMs < line.retryAtMs) return false;
  return !line.isRecovering || line.inFlight === 0;
}

/**
 * The next batch to send, marked as sent, with its sequence; undefined where none may go now.
 * `current` is the producer's identity, undefined while it has none.
 */
export function takeNext<B extends LineBatch>(
  state: Line<B>,
  current: ProducerIdentity | undefined,
  nowMs: number,
): B | undefined {
  if (!maySend(state, nowMs)) return undefined;
  const line = state as MutableLine<B>;
  const { settings } = line;
  line.isRecovering = false;
  const index = line.batches.findIndex(({ state }) => state === 'waiting');
  // The broker remembers the last five batches: one further from the oldest open one would push
  // that out of its memory, and a repeat of it would no longer be known for one.
  if (index < 0 || index >= settings.maxInFlight) return undefined;
  const next = line.batches[index] as B;
  const batch: MutableBatch = next;
  if (settings.isIdempotent) {
    if (line.mustReset) reset(line);
    line.identity ??= current;
    if (line.identity === undefined) return undefined;
    if (batch.sequence === undefined) {
      batch.identity = line.identity;
      batch.sequence = line.nextSequence;
      line.nextSequence = advanceSequence(line.nextSequence, batch.recordCount);
    }
  }
  batch.state = 'inFlight';
  batch.attempts++;
  line.inFlight++;
  return next;
}

function answered<B extends MutableBatch>(
  line: MutableLine<B>,
  event: Extract<LineEvent<B>, { type: 'answered' }>,
  nowMs: number,
  effects: LineEffect<B>[],
): void {
  const { batch, errorCode, baseOffset, logAppendTimeMs } = event;
  switch (errorCode) {
    case ErrorCode.NONE:
    case ErrorCode.DUPLICATE_SEQUENCE_NUMBER:
      line.failures = 0;
      line.isProven = true;
      line.lastError = undefined;
      // It was the next by its sequence, so the batch that was split had not been written.
      if (batch.isDoubtfulPart) for (const each of line.batches) each.isDoubtfulPart = false;
      settle(batch, { type: 'delivered', baseOffset, logAppendTimeMs });
      return;
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
      narrow(line, batch, { code: 'TOO_LARGE', errorCode, cause: undefined }, effects);
      return;
    case ErrorCode.INVALID_TIMESTAMP:
      if (line.settings.restampsWhenRefused) {
        batch.isTimeRefused = true;
        retry(line, batch, nowMs, errorCode, undefined);
        return;
      }
      narrow(line, batch, { code: 'REFUSED', errorCode, cause: undefined }, effects);
      return;
    case ErrorCode.INVALID_RECORD:
      narrow(line, batch, { code: 'REFUSED', errorCode, cause: undefined }, effects);
      return;
    case ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER:
    case ErrorCode.UNKNOWN_PRODUCER_ID:
      if (batch.isDoubtfulPart && isOldestUnsettled(line, batch)) {
        failDoubtful(line, errorCode);
        return;
      }
      // With an older batch still open this only says that the older one is missing.
      if (isOldestUnsettled(line, batch)) line.mustReset = true;
      retry(line, batch, nowMs, errorCode, undefined);
      return;
    case ErrorCode.INVALID_PRODUCER_EPOCH:
    case ErrorCode.INVALID_PRODUCER_ID_MAPPING:
      if (batch.isDoubtfulPart) failDoubtful(line, errorCode);
      // Somebody uses our producer id under a later epoch: leave it to them.
      line.mustReset = true;
      line.identity = undefined;
      if (batch.state !== 'settled') retry(line, batch, nowMs, errorCode, undefined);
      effects.push({ type: 'newProducerId' });
      return;
    default:
      if (leavesDoubt(errorCode)) batch.isInDoubt = true;
      if (errorCode === ErrorCode.CORRUPT_MESSAGE && batch.attempts >= CORRUPT_ATTEMPTS) {
        narrow(line, batch, { code: 'REFUSED', errorCode, cause: undefined }, effects);
        return;
      }
      if (!mayBecomeGood(errorCode) && !line.settings.waitsWhenRefused) {
        fail(line, batch, { code: 'REFUSED', errorCode, cause: undefined });
        return;
      }
      retry(line, batch, nowMs, errorCode, undefined);
      effects.push({ type: 'refreshMetadata' });
  }
}

/** Whether the same batch may be taken later. */
function mayBecomeGood(errorCode: number): boolean {
  return isRetriable(errorCode) || errorCode === ErrorCode.UNKNOWN_SERVER_ERROR;
}

/**
 * Something in the batch is refused for itself: halves find out what, and only that is given up.
 * The broker takes a batch as a whole or not at all, so no record is written twice. One that is in
 * doubt may have been written before what is allowed has changed: see `isDoubtfulPart`.
 */
function narrow<B extends MutableBatch>(
  line: MutableLine<B>,
  batch: B,
  reason: FailureReason,
  effects: LineEffect<B>[],
): void {
  line.lastError = reason.errorCode;
  if (batch.recordCount > 1) effects.push({ type: 'split', batch });
  else fail(line, batch, reason);
}

function lose(
  line: MutableLine<MutableBatch>,
  batch: MutableBatch,
  cause: Error,
  nowMs: number,
): void {
  batch.isInDoubt = true;
  retry(line, batch, nowMs, ErrorCode.NONE, cause);
}

/** Puts a sent batch back to where it was, unless it has had its chances. */
function retry<B extends MutableBatch>(
  line: MutableLine<B>,
  batch: B,
  nowMs: number,
  errorCode: number,
  cause: Error | undefined,
): void {
  const { settings } = line;
  // Batches that fail together, with one connection or one leader, are one failure.
  if (!line.isRecovering) {
    line.failures++;
    line.retryAtMs = nowMs + settings.backoffMs(line.failures);
  }
  line.isRecovering = true;
  line.isProven = false;
  line.lastError = cause ?? errorCode;
  batch.state = 'waiting';
  if (nowMs - batch.createdMs >= settings.deliveryTimeoutMs) {
    fail(line, batch, { code: 'TIMED_OUT', errorCode, cause });
  } else if (batch.attempts > settings.retries) {
    fail(line, batch, { code: 'RETRIES_EXHAUSTED', errorCode, cause });
  }
}

/**
 * Gives a batch up. Its sequences are free again where the broker certainly has not taken them
 * and nothing was sent behind them. Else they stay a gap: if the broker has not written the
 * batch, it will refuse the next one, which then starts anew under the next epoch. That one was
 * refused, so nothing is written twice.
 */
function fail<B extends MutableBatch>(line: MutableLine<B>, batch: B, reason: FailureReason): void {
  const index = line.batches.indexOf(batch);
  const isLastSent = line.batches.slice(index + 1).every(({ sequence }) => sequence === undefined);
  const isFree = !batch.isInDoubt && !batch.isDoubtfulPart && !line.mustReset;
  if (batch.sequence !== undefined && isLastSent && isFree) line.nextSequence = batch.sequence;
  if (batch.isDoubtfulPart && !batch.isInDoubt) closeUp(line, index);
  settle(batch, { type: 'failed', reason });
}

/** The broker expects other sequences: it has written the batch of which these are the parts. */
function failDoubtful<B extends MutableBatch>(line: MutableLine<B>, errorCode: number): void {
  for (const part of line.batches) {
    if (part.state === 'settled' || !part.isDoubtfulPart) continue;
    settle(part, { type: 'failed', reason: { code: 'IN_DOUBT', errorCode, cause: undefined } });
  }
}

/**
 * Doubtful parts behind one that was refused for itself take its sequences, so that the next still
 * begins where the batch began: else a refusal would not tell whether that was written.
 */
function closeUp<B extends MutableBatch>(line: MutableLine<B>, index: number): void {
  let { sequence } = line.batches[index] as B;
  for (const part of line.batches.slice(index + 1)) {
    if (!part.isDoubtfulPart || part.isInDoubt || sequence === undefined) return;
    part.sequence = sequence;
    sequence = advanceSequence(sequence, part.recordCount);
  }
}

/** The halves take the place and the sequences of a batch that the broker refused. */
function replace<B extends MutableBatch>(
  line: MutableLine<B>,
  batch: B,
  halves: readonly B[],
): void {
  let sequence = batch.sequence;
  for (const half of halves) {
    half.attempts = batch.attempts;
    half.identity = batch.identity;
    half.sequence = sequence;
    half.isTimeRefused = batch.isTimeRefused;
    half.isDoubtfulPart = batch.isDoubtfulPart || (batch.isInDoubt && sequence !== undefined);
    if (sequence !== undefined) sequence = advanceSequence(sequence, half.recordCount);
  }
  line.batches.splice(line.batches.indexOf(batch), 1, ...halves);
  line.isRecovering = true;
  // The first part that is answered tells of the others, so they go one by one.
  if (halves.some(({ isDoubtfulPart }) => isDoubtfulPart)) line.isProven = false;
}

/** Renumbers everything that is left from 0 under the next epoch. Nothing is in flight. */
function reset<B extends MutableBatch>(line: MutableLine<B>): void {
  line.mustReset = false;
  const old = line.identity;
  line.identity =
    old === undefined || old.producerEpoch === MAX_EPOCH
      ? undefined
      : { producerId: old.producerId, producerEpoch: old.producerEpoch + 1 };
  line.nextSequence = 0;
  for (const batch of line.batches) {
    if (batch.state !== 'waiting') continue;
    batch.sequence = undefined;
    batch.identity = undefined;
    batch.isDoubtfulPart = false;
  }
}

function expire<B extends MutableBatch>(line: MutableLine<B>, nowMs: number): void {
  const { deliveryTimeoutMs } = line.settings;
  for (const batch of line.batches) {
    if (batch.state !== 'waiting' || nowMs - batch.createdMs < deliveryTimeoutMs) continue;
    fail(line, batch, { code: 'TIMED_OUT', errorCode: ErrorCode.NONE, cause: undefined });
  }
}

function abandon<B extends MutableBatch>(
  line: MutableLine<B>,
  reason: Error,
  effects: LineEffect<B>[],
): void {
  for (const batch of line.batches.splice(0)) effects.push({ type: 'abandoned', batch, reason });
}

function settle(batch: MutableBatch, outcome: Outcome): void {
  batch.state = 'settled';
  batch.outcome = outcome;
}

/** Reports settled batches oldest first, so that a caller hears of them in their order. */
function settleFront<B extends MutableBatch>(line: MutableLine<B>, effects: LineEffect<B>[]): void {
  while (line.batches[0]?.outcome !== undefined) {
    const batch = line.batches.shift() as B;
    effects.push({ type: 'settled', batch, outcome: batch.outcome as Outcome });
  }
}

function isOldestUnsettled<B extends MutableBatch>(line: MutableLine<B>, batch: B): boolean {
  return line.batches.find(({ state }) => state !== 'settled') === batch;
}
