import { viewed } from '../../sinks/copy-bytes.js';
import type { FetchedRecords, PartitionFeed } from '../../sinks/feed.js';
import type { RecordWalk } from '../../sinks/record-view.js';
import type { PartitionWorker } from '../../sinks/worker.js';
import type { SimProcess } from '../../system/sim/index.js';

import { batchOver } from './record-list.js';

export interface TestRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string;
}

/** A topic of one partition, and what its group has committed. */
export class FakeTopic {
  readonly records: TestRecord[] = [];
  start = 0;
  end = 0;
  committed: number | undefined;
  readonly commits: number[] = [];
  /** Called when records have come. */
  readonly readers = new Set<() => void>();

  /** Records with growing offsets; every seventh offset is a gap, as transactions leave them. */
  fill(count: number): this {
    const hour = 3_600_000;
    for (let i = 0; i < count; i += 1) {
      if (this.end % 7 === 5) this.end += 1;
      const offset = this.end;
      this.records.push({
        offset,
        timestamp: 1_767_225_600_000 + (offset % 5 === 0 ? hour : 0),
        key: offset % 2 === 0 ? null : 'host:/var/1',
        value: `record ${offset}`,
      });
      this.end += 1;
    }
    for (const wake of this.readers) wake();
    return this;
  }

  /** Retention: what lies before `offset` is gone. */
  removeBefore(offset: number): void {
    this.start = offset;
  }

  from(offset: number, count: number): TestRecord[] {
    return this.records
      .filter((record) => record.offset >= offset && record.offset >= this.start)
      .slice(0, count);
  }
}

class ListWalk implements RecordWalk {
  bytes = Buffer.alloc(0);
  view = viewed(this.bytes).view;
  readonly isScratch = false;
  offset = -1;
  timestamp = -1;
  keyStart = 0;
  keyEnd = -1;
  valueStart = 0;
  valueEnd = -1;
  headersStart = 0;
  headersEnd = 0;
  headerCount = 0;
  #next = 0;

  #isReleased = false;

  constructor(readonly list: readonly TestRecord[]) {}

  /** What a later fetch would write over it. */
  release(): void {
    this.#isReleased = true;
    this.bytes.fill(0xdd);
  }

  next(): boolean {
    const record = this.list[this.#next];
    if (record === undefined) return false;
    this.#next += 1;
    const key = Buffer.from(record.key ?? '');
    const value = Buffer.from(record.value);
    this.bytes = Buffer.concat([key, value]);
    // No error: a worker would read again, and nobody would notice.
    if (this.#isReleased) this.bytes.fill(0xdd);
    this.view = viewed(this.bytes).view;
    this.offset = record.offset;
    this.timestamp = record.timestamp;
    this.keyEnd = record.key === null ? -1 : key.length;
    this.valueStart = key.length;
    this.valueEnd = this.bytes.length;
    this.headersStart = this.bytes.length;
    this.headersEnd = this.bytes.length;
    return true;
  }
}

const batches = new WeakMap<TestRecord, Buffer>();

/** Each record is a batch of its own; made once, for enumerations hand it over often. */
function batchOf(record: TestRecord): Buffer {
  const known = batches.get(record);
  if (known !== undefined) return known;
  const { offset, timestamp, key, value } = record;
  const bytes = { key: key === null ? null : Buffer.from(key), value: Buffer.from(value) };
  const batch = batchOver([{ timestamp, ...bytes }], offset);
  batches.set(record, batch);
  return batch;
}

/** Hands records over in fetches of four, in turns of the process's event loop. */
export class FakeFeed implements PartitionFeed {
  worker: PartitionWorker | undefined;
  #position = -1;
  #isPaused = true;
  #isScheduled = false;

  constructor(
    readonly process: SimProcess,
    readonly topic: FakeTopic,
    readonly beforeCommit: () => Promise<void> = async () => undefined,
  ) {
    topic.readers.add(() => this.#schedule());
  }

  async committed(): Promise<number | undefined> {
    return this.topic.committed;
  }
  async commit(offset: number): Promise<void> {
    await this.beforeCommit();
    await this.process.clock.sleep(1);
    this.topic.committed = offset;
    this.topic.commits.push(offset);
  }
  async range() {
    return { start: this.topic.start, end: this.topic.end };
  }
  seek(offset: number): void {
    this.#position = offset;
    this.#schedule();
  }
  pause(): void {
    this.#isPaused = true;
  }
  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isPaused || this.#position >= this.topic.end) return;
    if (!this.process.alive) return;
    this.#isScheduled = true;
    this.process.clock.after(1, () => {
      this.#isScheduled = false;
      if (this.#isPaused) return;
      // As a consumer that resets itself: the writer must notice.
      if (this.#position < this.topic.start) this.#position = this.topic.start;
      const list = this.topic.from(this.#position, 4);
      const last = list.at(-1);
      const isAll = list.length < 4;
      const nextOffset = last === undefined || isAll ? this.topic.end : last.offset + 1;
      const records = new ListWalk(list);
      const batches = list.map((record) => Buffer.from(batchOf(record)));
      const fetched: FetchedRecords = {
        fetchOffset: this.#position,
        nextOffset,
        records,
        batches,
        release: () => {
          records.release();
          for (const [i, { value }] of list.entries()) {
            const batch = batches[i] as Buffer;
            // The value, which stands before the number of headers: any else would be an error.
            batch.fill(0xdd, batch.length - 1 - Buffer.byteLength(value), batch.length - 1);
          }
        },
      };
      this.#position = nextOffset;
      this.worker?.take(fetched);
      this.#schedule();
    });
  }
}
