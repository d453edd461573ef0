import type { BatchHeader } from '../../protocol/records/index.js';
import { LogError } from './log-error.js';

const MAX_SEQUENCE = 2 ** 31 - 1;
/** As many batches as an idempotent producer may have in flight. */
export const REMEMBERED_BATCHES = 5;

/** What is remembered of one of a producer's batches. */
export interface BatchMetadata {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly lastOffset: number;
  /** Last offset minus first offset. */
  readonly offsetDelta: number;
  /** The batch's largest timestamp, milliseconds. */
  readonly timestamp: number;
}

/** One idempotent producer (KIP-98), as its last batches left it. Immutable. */
export interface ProducerEntry {
  readonly producerId: number;
  readonly epoch: number;
  /** Oldest first, at most five; empty after a marker of a new epoch. */
  readonly batches: readonly BatchMetadata[];
  /** Timestamp of the last batch or marker, milliseconds. */
  readonly lastTimestamp: number;
  /** When this broker last saw the producer (its own clock), milliseconds. */
  readonly seenMs: number;
  /** Of the last marker, -1 before the first. */
  readonly coordinatorEpoch: number;
  /** First offset of the open transaction, -1 where none is. */
  readonly currentTransactionFirstOffset: number;
}

/** The sequence numbers of a batch that is about to be appended. */
type Sequenced = Pick<
  BatchHeader,
  | 'producerId'
  | 'producerEpoch'
  | 'baseSequence'
  | 'lastOffsetDelta'
  | 'isTransactional'
  | 'isControl'
>;

/** A batch as it was, or will be, appended. */
export interface AppendedBatch {
  readonly header: Sequenced;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  /** Of the marker in a control batch that ends a transaction. */
  readonly coordinatorEpoch?: number | undefined;
}

/** The idempotent producers of a log. A batch is checked, and applied once it is in the file. */
export class Producers {
  readonly #entries = new Map<number, ProducerEntry>();

  get size(): number {
    return this.#entries.size;
  }

  /** The largest producer id, -1 where there is none. */
  get highestId(): number {
    let highest = -1;
    for (const producerId of this.#entries.keys()) highest = Math.max(highest, producerId);
    return highest;
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId);
  }

  entries(): Iterable<ProducerEntry> {
    return this.#entries.values();
  }

  /** Takes over what a snapshot says. */
  restore(entries: Iterable<ProducerEntry>): void {
    this.#entries.clear();
    for (const entry of entries) this.put(entry);
  }

  /** Replaces what is known of one producer. */
  put(entry: ProducerEntry): void {
    this.#entries.set(entry.producerId, entry);
  }

  /** Gives a producer the batches before its last one, where these lead up to it. */
  complete({
    producerId,
    epoch,
    batches,
  }: Pick<ProducerEntry, 'producerId' | 'epoch' | 'batches'>): void {
    const entry = this.#entries.get(producerId);
    const last = entry?.batches.at(-1);
    const fits = entry?.epoch === epoch && last?.lastOffset === batches.at(-1)?.lastOffset;
    if (entry !== undefined && last !== undefined && fits) this.put({ ...entry, batches });
  }

  /**
   * Whether the batch follows its producer's last one. Returns the metadata of the batch that it
   * repeats, undefined where it is new. Throws LogError INVALID_PRODUCER_EPOCH for a producer
   * that another one has replaced and OUT_OF_ORDER_SEQUENCE_NUMBER for a gap.
   */
  check(header: Sequenced): BatchMetadata | undefined {
    const { producerId, producerEpoch, baseSequence } = header;
    const entry = this.#entries.get(producerId);
    if (entry === undefined) return undefined;
    if (producerEpoch < entry.epoch) {
      throw new LogError(
        'INVALID_PRODUCER_EPOCH',
        `producer ${producerId} of epoch ${producerEpoch} was replaced by epoch ${entry.epoch}`,
      );
    }
    if (producerEpoch > entry.epoch) {
      if (baseSequence !== 0) throw outOfOrder(header, 0);
      return undefined;
    }
    const original = this.repeatOf(header);
    if (original !== undefined) return original;
    const last = entry.batches.at(-1);
    const expected = last === undefined ? 0 : addToSequence(last.lastSequence, 1);
    if (baseSequence !== expected) throw outOfOrder(header, expected);
    return undefined;
  }

  /** The metadata of the batch that this one repeats; undefined where it is new, or nobody's. */
  repeatOf({
    producerId,
    producerEpoch,
    baseSequence,
    lastOffsetDelta,
  }: Sequenced): BatchMetadata | undefined {
    const entry = this.#entries.get(producerId);
    if (entry === undefined || entry.epoch !== producerEpoch) return undefined;
    const lastSequence = addToSequence(baseSequence, lastOffsetDelta);
    for (const batch of entry.batches) {
      if (batch.firstSequence === baseSequence && batch.lastSequence === lastSequence) return batch;
    }
    return undefined;
  }

  /** Applies a batch that is in the log, without checking it. */
  replay(batch: AppendedBatch, nowMs: number): void {
    const { producerId } = batch.header;
    if (producerId < 0) return;
    this.#entries.set(producerId, applyBatch(this.#entries.get(producerId), batch, nowMs));
  }

  /** Forgets producers without an open transaction that have been idle for too long. */
  expire(nowMs: number, expirationMs: number): void {
    for (const entry of this.#entries.values()) {
      // Records may carry times long past: what counts is also when the broker saw the producer.
      const lastMs = Math.max(entry.lastTimestamp, entry.seenMs);
      const idle = nowMs - lastMs >= expirationMs;
      if (idle && entry.currentTransactionFirstOffset < 0) this.#entries.delete(entry.producerId);
    }
  }
}

/** The producer after the batch. */
function applyBatch(
  before: ProducerEntry | undefined,
  batch: AppendedBatch,
  nowMs: number,
): ProducerEntry {
  const { header, maxTimestamp } = batch;
  const sameEpoch = before !== undefined && before.epoch === header.producerEpoch;
  const batches = sameEpoch ? before.batches : [];
  const common = {
    producerId: header.producerId,
    epoch: header.producerEpoch,
    lastTimestamp: maxTimestamp,
    seenMs: nowMs,
  };
  if (header.isControl) {
    const coordinatorEpoch = batch.coordinatorEpoch ?? before?.coordinatorEpoch ?? -1;
    return { ...common, batches, coordinatorEpoch, currentTransactionFirstOffset: -1 };
  }
  const metadata: BatchMetadata = {
    firstSequence: header.baseSequence,
    lastSequence: addToSequence(header.baseSequence, header.lastOffsetDelta),
    lastOffset: batch.lastOffset,
    offsetDelta: header.lastOffsetDelta,
    timestamp: maxTimestamp,
  };
  const open = before?.currentTransactionFirstOffset ?? -1;
  return {
    ...common,
    batches: [...batches.slice(1 - REMEMBERED_BATCHES), metadata],
    coordinatorEpoch: before?.coordinatorEpoch ?? -1,
    currentTransactionFirstOffset: header.isTransactional && open < 0 ? batch.baseOffset : open,
  };
}

/** Sequences count from 0 to 2^31 - 1 and start over. */
export function addToSequence(sequence: number, delta: number): number {
  return sequence > MAX_SEQUENCE - delta ? delta - (MAX_SEQUENCE - sequence) - 1 : sequence + delta;
}

/** The sequence `delta` before. */
export function subtractFromSequence(sequence: number, delta: number): number {
  return sequence < delta ? MAX_SEQUENCE - (delta - sequence) + 1 : sequence - delta;
}

function outOfOrder(header: Sequenced, expected: number): LogError {
  return new LogError(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `producer ${header.producerId} of epoch ${header.producerEpoch} sent sequence ` +
      `${header.baseSequence}, expected ${expected}`,
  );
}
