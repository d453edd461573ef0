import { ErrorCode } from '../../../protocol/index.js';

/** What one producer has written to a partition, as Kafka's brokers remember it (KIP-98). */
interface ProducerEntry {
  epoch: number;
  lastSequence: number;
  /** The last five batches, for repeats. */
  recent: { first: number; last: number; baseOffset: number }[];
}

export interface IncomingBatch<V> {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly sequence: number;
  readonly values: readonly V[];
}

const REMEMBERED_BATCHES = 5;
const MAX_SEQUENCE = 0x7fffffff;

/** A partition's log with the rules by which Kafka accepts idempotent batches. */
export class FakePartition<V> {
  readonly log: V[] = [];
  private producers = new Map<number, ProducerEntry>();

  append(batch: IncomingBatch<V>): { errorCode: number; baseOffset: number } {
    if (batch.producerId < 0) return this.write(batch);
    const entry = this.producers.get(batch.producerId);
    const last = wrap(batch.sequence + batch.values.length - 1);
    if (entry !== undefined && batch.producerEpoch < entry.epoch) {
      return refused(ErrorCode.INVALID_PRODUCER_EPOCH);
    }
    if (entry !== undefined && batch.producerEpoch === entry.epoch) {
      const repeat = entry.recent.find(
        (seen) => seen.first === batch.sequence && seen.last === last,
      );
      if (repeat !== undefined) return { errorCode: 0, baseOffset: repeat.baseOffset };
      if (batch.sequence !== wrap(entry.lastSequence + 1)) {
        return refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
      }
    } else if (entry !== undefined && batch.sequence !== 0) {
      return refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    }
    const written = this.write(batch);
    const recent = entry?.epoch === batch.producerEpoch ? entry.recent : [];
    recent.push({ first: batch.sequence, last, baseOffset: written.baseOffset });
    if (recent.length > REMEMBERED_BATCHES) recent.shift();
    this.producers.set(batch.producerId, {
      epoch: batch.producerEpoch,
      lastSequence: last,
      recent,
    });
    return written;
  }

  /** What an unclean restart forgets. */
  forgetProducers(): void {
    this.producers = new Map();
  }

  private write(batch: IncomingBatch<V>): { errorCode: number; baseOffset: number } {
    const baseOffset = this.log.length;
    this.log.push(...batch.values);
    return { errorCode: ErrorCode.NONE, baseOffset };
  }
}

function refused(errorCode: number): { errorCode: number; baseOffset: number } {
  return { errorCode, baseOffset: -1 };
}

function wrap(sequence: number): number {
  return sequence > MAX_SEQUENCE ? sequence - MAX_SEQUENCE - 1 : sequence;
}
