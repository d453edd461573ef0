import type { BatchHeader } from '../../protocol/records/index.js';
import type { LeaderEpochs } from './epochs.js';
import { checkBatches, leaderBatches, stampBatches } from './incoming.js';
import { LogError } from './log-error.js';
import type { AppendOptions, AppendResult } from './log-options.js';
import type { Producers, ProducersDraft } from './producers.js';
import { appendedBatch } from './replay.js';
import type { Segment } from './segment.js';
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

/** The outcome of one buffer; whether it has to be synced first is the log's to say. */
export type Appended = Omit<AppendResult, 'flushFirst'>;

/** A buffer that has its place and waits to be written; without batches it repeats an older one. */
interface Pending {
  readonly index: number;
  readonly bytes: Buffer;
  readonly batches: readonly StoredBatch[];
  readonly result: Appended;
}

/**
 * Appends buffers that have come together, each checked for itself, with as few writes as the
 * segments allow. One that is refused leaves the others alone; where the disk fails, all that
 * were to be written with it fail, and the log is as before.
 */
export class Appender {
  readonly #target: AppendTarget;
  readonly #options: AppendOptions;
  readonly #results: (Appended | LogError)[] = [];
  readonly #draft: ProducersDraft;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  /** Offset of the next record, with what is pending. */
  #nextOffset: number;
  /** The disk has failed; nothing more is tried. */
  #failure: LogError | undefined;

  constructor(target: AppendTarget, options: AppendOptions) {
    this.#target = target;
    this.#options = options;
    this.#draft = target.producers.begin(target.nowMs);
    this.#nextOffset = target.storage.segments.active.nextOffset;
  }

  /** One outcome for each buffer, in order. */
  run(buffers: readonly Buffer[]): (Appended | LogError)[] {
    buffers.forEach((bytes, index) => {
      try {
        if (this.#failure !== undefined) throw this.#failure;
        this.#admit(bytes, index);
      } catch (error) {
        if (!(error instanceof LogError)) throw error;
        this.#results[index] = error;
      }
    });
    this.#write();
    return this.#results;
  }

  #admit(bytes: Buffer, index: number): void {
    const { settings, nowMs } = this.#target;
    const validated = this.#options.validated === true;
    const headers = checkBatches(bytes, settings, validated, nowMs);
    const repeated = validated ? undefined : this.#findRepeated(headers);
    if (repeated !== undefined) {
      this.#pending.push({ index, bytes, batches: [], result: repeated });
      return;
    }
    this.#rollIfDue(bytes.length, headers);
    const batches = this.#place(bytes, headers, validated);
    for (const batch of batches) {
      if (batch.header.producerId >= 0) this.#draft.apply(appendedBatch(batch));
    }
    const baseOffset = batches[0]?.baseOffset ?? this.#nextOffset;
    const lastOffset = batches.at(-1)?.lastOffset ?? this.#nextOffset;
    const stamped = settings.messageTimestampType === 'LogAppendTime' && !validated;
    const logAppendTime = stamped ? nowMs : -1;
    const result = { baseOffset, lastOffset, logAppendTime, duplicate: false };
    this.#pending.push({ index, bytes, batches, result });
    this.#pendingBytes += bytes.length;
    this.#nextOffset = lastOffset + 1;
  }

  /** Where an idempotent producer's batch came to lie the first time, if it is a repetition. */
  #findRepeated(headers: readonly BatchHeader[]): Appended | undefined {
    const first = headers.find(({ producerId }) => producerId >= 0);
    if (first === undefined) return undefined;
    if (headers.length > 1) {
      throw new LogError('INVALID_RECORD', 'an idempotent producer sends one batch at a time');
    }
    const original = this.#draft.check(first);
    if (original === undefined) return undefined;
    const { messageTimestampType } = this.#target.settings;
    return {
      baseOffset: original.lastOffset - original.offsetDelta,
      lastOffset: original.lastOffset,
      logAppendTime: messageTimestampType === 'LogAppendTime' ? original.timestamp : -1,
      duplicate: true,
    };
  }

  #place(bytes: Buffer, headers: readonly BatchHeader[], validated: boolean): StoredBatch[] {
    if (validated) return leaderBatches(bytes, headers, this.#nextOffset);
    const { settings, nowMs } = this.#target;
    return stampBatches(bytes, headers, {
      baseOffset: this.#nextOffset,
      leaderEpoch: this.#options.leaderEpoch,
      logAppendTime: settings.messageTimestampType === 'LogAppendTime' ? nowMs : undefined,
    });
  }

  #rollIfDue(bytes: number, headers: readonly BatchHeader[]): void {
    const { storage, settings, nowMs } = this.#target;
    const coming: Coming = {
      bytes: this.#pendingBytes + bytes,
      lastOffset: this.#lastOffsetOf(headers),
      maxTimestamp: Math.max(...headers.map(({ maxTimestamp }) => maxTimestamp)),
    };
    if (!mustRoll(storage.segments.active, coming, this.#pendingBytes, settings, nowMs)) return;
    this.#write();
    if (this.#failure !== undefined) throw this.#failure;
    try {
      storage.roll(settings);
    } catch (error) {
      if (error instanceof LogError) this.#failure = error;
      throw error;
    }
  }

  #lastOffsetOf(headers: readonly BatchHeader[]): number {
    const last = headers.at(-1);
    if (this.#options.validated === true && last !== undefined) {
      return last.baseOffset + last.lastOffsetDelta;
    }
    const records = headers.reduce((sum, { lastOffsetDelta }) => sum + lastOffsetDelta + 1, 0);
    return this.#nextOffset + records - 1;
  }

  /** Writes what is pending with one call; only then anything else learns of it. */
  #write(): void {
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    const { storage, tail, epochs, settings } = this.#target;
    const written = pending.filter(({ batches }) => batches.length > 0);
    const batches = written.flatMap((entry) => entry.batches);
    try {
      if (written.length > 0) {
        storage.write(
          written.map(({ bytes }) => bytes),
          batches,
          settings,
        );
      }
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      this.#failure = error;
      for (const { index } of pending) this.#results[index] = error;
      return;
    }
    this.#draft.commit();
    for (const batch of batches) {
      epochs.assign(batch.leaderEpoch, batch.baseOffset);
      tail.append(batch);
    }
    for (const { index, result } of pending) this.#results[index] = result;
  }
}

/** What would stand in the active segment besides what it holds. */
interface Coming {
  readonly bytes: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
}

/** Whether the active segment is full, in bytes, time or index, for what comes. */
function mustRoll(
  active: Segment,
  coming: Coming,
  pendingBytes: number,
  settings: LogSettings,
  nowMs: number,
): boolean {
  if (active.sizeBytes + pendingBytes === 0) return false;
  if (active.sizeBytes + coming.bytes > settings.segmentBytes) return true;
  if (!active.hasRoom(coming.lastOffset, settings)) return true;
  const waitedMs =
    active.firstTimestamp >= 0
      ? coming.maxTimestamp - active.firstTimestamp
      : nowMs - active.createdMs;
  return waitedMs > settings.segmentMs;
}
