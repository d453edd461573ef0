import { RecordCursor } from '../../protocol/records/index.js';
import type { TopicPartition } from '../topic-partition.js';
import type { FrameLease } from './frame-lease.js';

/** Where in a fetched partition the visible batches are, and what follows them. */
export interface VisibleBatches {
  /** Start of each visible batch in `records`. */
  readonly starts: readonly number[];
  /** The offset to read from next: behind the last whole batch, visible or not. */
  readonly nextOffset: number;
  /** Records in the visible batches, those before the wanted offset included. */
  readonly recordCount: number;
}

/** What the broker said of the partition in the same answer. */
export interface PartitionOffsets {
  readonly highWatermark: number;
  /** Up to where transactions are decided; -1 where the broker does not tell. */
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
}

/**
 * What one fetch brought of one partition: whole record batches, back to back, uncopied. It may
 * hold no visible record at all (control records, aborted transactions) and still move on.
 * Views into it may be kept, and keep the whole answer alive, unless somebody calls `release`.
 */
export class FetchedBatch implements TopicPartition {
  /** Bytes of the records as fetched. */
  readonly sizeBytes: number;
  readonly nextOffset: number;
  /** Visible records at most; compaction and the middle of a batch can make it fewer. */
  readonly recordCount: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly #visible: VisibleBatches;
  #released = false;

  constructor(
    readonly topic: string,
    /** ZERO_UUID where the broker does not tell. */
    readonly topicId: string,
    readonly partition: number,
    /** Records before this offset are not wanted. */
    readonly firstOffset: number,
    readonly records: Buffer,
    visible: VisibleBatches,
    private readonly offsets: PartitionOffsets,
    private readonly maxBatchBytes: number,
    private readonly lease: FrameLease,
  ) {
    this.sizeBytes = records.length;
    this.nextOffset = visible.nextOffset;
    this.recordCount = visible.recordCount;
    this.highWatermark = offsets.highWatermark;
    this.lastStableOffset = offsets.lastStableOffset;
    this.logStartOffset = offsets.logStartOffset;
    this.#visible = visible;
  }

  /**
   * Gives its memory back for later fetches, which spares page faults and garbage collection.
   * Optional; nothing of it, its cursors and their views may be used afterwards.
   */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.lease.give();
  }

  /** What is left of it from `offset` on, sharing its memory; undefined once that was released. */
  from(offset: number): FetchedBatch | undefined {
    if (this.#released) return undefined;
    return new FetchedBatch(
      this.topic,
      this.topicId,
      this.partition,
      offset,
      this.records,
      this.#visible,
      this.offsets,
      this.maxBatchBytes,
      this.lease.take(),
    );
  }

  /** The visible record batches (magic 2), as the broker stores them. */
  get batches(): Buffer[] {
    const sizeAt = 8;
    const overhead = 12;
    return this.#visible.starts.map((start) =>
      this.records.subarray(start, start + overhead + this.records.readInt32BE(start + sizeAt)),
    );
  }

  /** Walks the visible records in order, without allocation per record. */
  cursor(): RecordCursor {
    return new VisibleCursor(
      this.records,
      this.#visible.starts,
      this.firstOffset,
      this.maxBatchBytes,
    );
  }
}

/** A cursor over several batches that leaves out what comes before the wanted offset. */
class VisibleCursor extends RecordCursor {
  #nextBatch = 0;
  #isOpen = false;

  constructor(
    private readonly records: Buffer,
    private readonly starts: readonly number[],
    private readonly firstOffset: number,
    private readonly maxBatchBytes: number,
  ) {
    super();
  }

  override next(): boolean {
    for (;;) {
      if (this.#isOpen) {
        while (super.next()) if (this.offset >= this.firstOffset) return true;
        this.#isOpen = false;
      }
      // A read beyond the end would make this loop be compiled again.
      if (this.#nextBatch === this.starts.length) return false;
      const start = this.starts[this.#nextBatch++] as number;
      this.open(this.records, start, this.maxBatchBytes);
      this.#isOpen = true;
    }
  }
}
