import {
  batchesOf,
  type Codec,
  type LocatedBatch,
  RecordCursor,
  readControlType,
  verifyBatch,
} from '../../protocol/records/index.js';
import type { VisibleBatches } from './fetched-batch.js';

/** A transaction that was aborted: its producer's records from here to its marker do not count. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** How fetched records are looked at. */
export interface VisibilityOptions {
  /** The wanted offset; the broker may send the batch that contains it from its start. */
  readonly fetchOffset: number;
  /** Those of the answer under read_committed; null under read_uncommitted. */
  readonly aborted: readonly AbortedTransaction[] | null;
  readonly checkCrcs: boolean;
}

/** What a walk over fetched records found out. */
export interface Inspected extends VisibleBatches {
  /** Codecs that reading the visible batches takes. */
  readonly codecs: ReadonlySet<Codec>;
}

const controlKeyBytes = 1024;

/**
 * Finds the whole batches that the application is to see: not control batches, and none of an
 * aborted transaction. Throws RecordsError where the bytes are corrupt.
 */
export function inspectRecords(records: Buffer, options: VisibilityOptions): Inspected {
  const starts: number[] = [];
  const codecs = new Set<Codec>();
  const filter = new AbortedFilter(options.aborted ?? []);
  let { fetchOffset: nextOffset } = options;
  let recordCount = 0;
  for (const batch of batchesOf(records)) {
    const lastOffset = batch.baseOffset + batch.lastOffsetDelta;
    if (lastOffset < options.fetchOffset) continue;
    if (options.checkCrcs) verifyBatch(records, batch.offset);
    nextOffset = lastOffset + 1;
    if (filter.hides(records, batch, lastOffset)) continue;
    starts.push(batch.offset);
    codecs.add(batch.codec);
    recordCount += batch.recordCount;
  }
  return { starts, codecs, nextOffset, recordCount };
}

/** Follows the aborted transactions along the log. */
class AbortedFilter {
  /** By first offset, the next one last. */
  readonly #coming: AbortedTransaction[];
  /** Producers whose open transaction will be aborted. */
  readonly #open = new Set<number>();
  readonly #cursor = new RecordCursor();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#coming = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  hides(records: Buffer, batch: LocatedBatch, lastOffset: number): boolean {
    for (let next = this.#coming.at(-1); next; next = this.#coming.at(-1)) {
      if (next.firstOffset > lastOffset) break;
      this.#open.add(next.producerId);
      this.#coming.pop();
    }
    if (batch.isControl) {
      if (this.#open.has(batch.producerId) && this.#isAbort(records, batch.offset)) {
        this.#open.delete(batch.producerId);
      }
      return true;
    }
    return batch.isTransactional && this.#open.has(batch.producerId);
  }

  #isAbort(records: Buffer, start: number): boolean {
    this.#cursor.open(records, start, controlKeyBytes);
    return this.#cursor.next() && readControlType(this.#cursor.key()) === 'abort';
  }
}
