import type { BatchHeader } from '../../protocol/records/index.js';
import type { LeaderEpochs } from './epochs.js';
import { checkBatches, leaderBatches, stampBatches } from './incoming.js';
import { LogError } from './log-error.js';
import type { AppendOptions, AppendResult } from './log-options.js';
import type { Producers } from './producers.js';
import { replayProducer } from './replay.js';
import type { LogSettings } from './settings.js';
import type { LogStorage } from './storage.js';
import type { StoredBatch } from './stored-batch.js';
import type { TailCache } from './tail-cache.js';

/** The parts of a log that an append changes. */
export interface AppendTarget {
  readonly storage: LogStorage;
  readonly producers: Producers;
  readonly epochs: LeaderEpochs;
  readonly tail: TailCache;
  readonly settings: LogSettings;
  readonly nowMs: number;
}

/**
 * Appends the batches that stand back to back in `bytes`: all of them with one write, or none.
 * Whether they have to be synced before they are acknowledged is the log's to say. Throws
 * LogError, and then the log is as before, but for a segment that may have been begun.
 */
export function appendBatches(
  target: AppendTarget,
  bytes: Buffer,
  options: AppendOptions,
): AppendResult {
  const { storage, producers, epochs, tail, settings, nowMs } = target;
  const validated = options.validated === true;
  const isRepeat = (header: BatchHeader) => producers.repeatOf(header) !== undefined;
  const known = { isRepeat, budget: options.budget };
  const headers = checkBatches(bytes, settings, validated, nowMs, known);
  const repeated = validated ? undefined : findRepeated(target, headers);
  if (repeated !== undefined) return repeated;
  const { nextOffset } = storage.segments.active;
  const stamped = settings.messageTimestampType === 'LogAppendTime' && !validated;
  const batches = validated
    ? leaderBatches(bytes, headers, nextOffset)
    : stampBatches(bytes, headers, {
        baseOffset: nextOffset,
        leaderEpoch: options.leaderEpoch,
        logAppendTime: stamped ? nowMs : undefined,
      });
  rollIfDue(target, bytes.length, batches);
  storage.write(bytes, batches, settings);
  for (const batch of batches) {
    epochs.assign(batch.leaderEpoch, batch.baseOffset);
    replayProducer(batch, producers, nowMs);
    tail.append(batch);
  }
  return {
    baseOffset: batches[0]?.baseOffset ?? nextOffset,
    lastOffset: batches.at(-1)?.lastOffset ?? nextOffset,
    logAppendTime: stamped ? nowMs : -1,
    duplicate: false,
    flushFirst: false,
  };
}

/** Where an idempotent producer's batch came to lie the first time, if it is a repetition. */
function findRepeated(
  { producers, settings }: AppendTarget,
  headers: readonly BatchHeader[],
): AppendResult | undefined {
  const first = headers.find(({ producerId }) => producerId >= 0);
  if (first === undefined) return undefined;
  if (headers.length > 1) {
    throw new LogError('INVALID_RECORD', 'an idempotent producer sends one batch at a time');
  }
  const original = producers.check(first);
  if (original === undefined) return undefined;
  const stamped = settings.messageTimestampType === 'LogAppendTime';
  return {
    baseOffset: original.lastOffset - original.offsetDelta,
    lastOffset: original.lastOffset,
    logAppendTime: stamped ? original.timestamp : -1,
    duplicate: true,
    flushFirst: false,
  };
}

/** Begins a new segment where the active one is full, in bytes, time or index, for what comes. */
function rollIfDue(
  { storage, settings, nowMs }: AppendTarget,
  bytes: number,
  batches: readonly StoredBatch[],
): void {
  const { active } = storage.segments;
  if (active.sizeBytes === 0) return;
  const { firstTimestamp } = active;
  let { nextOffset } = active;
  let maxTimestamp = -1;
  for (const batch of batches) {
    maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp);
    nextOffset = batch.lastOffset + 1;
  }
  const waitedMs = firstTimestamp >= 0 ? maxTimestamp - firstTimestamp : nowMs - active.createdMs;
  const isFull =
    active.sizeBytes + bytes > settings.segmentBytes ||
    !active.hasRoom(nextOffset - 1, settings) ||
    waitedMs > settings.segmentMs;
  if (isFull) storage.roll(settings);
}
