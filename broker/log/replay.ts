import { RecordCursor } from '../../protocol/records/index.js';
import type { LeaderEpochs } from './epochs.js';
import {
  type AppendedBatch,
  addToSequence,
  type BatchMetadata,
  type Producers,
  REMEMBERED_BATCHES,
} from './producers.js';
import type { StoredBatch } from './stored-batch.js';

/** Bytes of an EndTxnMarker, which is never compressed. */
const MARKER_MAX_BYTES = 1024;
const COORDINATOR_EPOCH_AT = 2;
const MARKER_BYTES = 6;

/** What the producers' state needs of a batch. */
export function appendedBatch(batch: StoredBatch): AppendedBatch {
  const { header, baseOffset, lastOffset, maxTimestamp } = batch;
  if (!header.isControl) return { header, baseOffset, lastOffset, maxTimestamp };
  const coordinatorEpoch = readCoordinatorEpoch(batch);
  return { header, baseOffset, lastOffset, maxTimestamp, coordinatorEpoch };
}

/** The coordinator's epoch in the marker of a control batch; undefined in any other one. */
function readCoordinatorEpoch({ bytes, start }: StoredBatch): number | undefined {
  const cursor = new RecordCursor();
  cursor.open(bytes, start, MARKER_MAX_BYTES);
  if (!cursor.next()) return undefined;
  const value = cursor.value();
  return value === null || value.length < MARKER_BYTES
    ? undefined
    : value.readInt32BE(COORDINATOR_EPOCH_AT);
}

/** Brings producers and epochs to where they were behind a batch of the log. */
export function replayBatch(
  batch: StoredBatch,
  producers: Producers,
  epochs: LeaderEpochs,
  nowMs: number,
): void {
  epochs.assign(batch.leaderEpoch, batch.baseOffset);
  replayProducer(batch, producers, nowMs);
}

/** Brings the producers to where they were behind a batch of the log. */
export function replayProducer(batch: StoredBatch, producers: Producers, nowMs: number): void {
  if (batch.header.producerId >= 0) producers.replay(appendedBatch(batch), nowMs);
}

/**
 * Collects the newest batches of each producer: a snapshot has a place for one only, and a
 * producer with five in flight at a clean stop repeats all of them.
 */
export class RecentBatches {
  readonly #byProducer = new Map<number, { epoch: number; batches: BatchMetadata[] }>();

  add({ header, lastOffset, maxTimestamp }: StoredBatch): void {
    if (header.producerId < 0 || header.isControl) return;
    let recent = this.#byProducer.get(header.producerId);
    if (recent === undefined || recent.epoch !== header.producerEpoch) {
      recent = { epoch: header.producerEpoch, batches: [] };
      this.#byProducer.set(header.producerId, recent);
    }
    recent.batches.push({
      firstSequence: header.baseSequence,
      lastSequence: addToSequence(header.baseSequence, header.lastOffsetDelta),
      lastOffset,
      offsetDelta: header.lastOffsetDelta,
      timestamp: maxTimestamp,
    });
    if (recent.batches.length > REMEMBERED_BATCHES) recent.batches.shift();
  }

  /** Gives the producers what was collected, where it leads up to their last batch. */
  complete(producers: Producers): void {
    for (const [producerId, { epoch, batches }] of this.#byProducer) {
      const known = producers.get(producerId)?.batches.length ?? 0;
      if (batches.length > known) producers.complete({ producerId, epoch, batches });
    }
  }
}
