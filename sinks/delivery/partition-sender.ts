import type { System } from '../../system/index.js';
import type { FetchedRecords, PartitionFeed } from '../feed.js';
import { Intake } from '../intake.js';
import { ChunkCursor, ChunkWriter, contentBytesOf, spanBytesOf } from '../spool-format.js';
import type { PartitionWorker, WorkerStatus } from '../worker.js';
import { type Courier, remainder } from './courier.js';
import { offsetsOf } from './cut-records.js';
import type { Destination } from './destination.js';
import type { Narrowing } from './narrowing.js';
import type { OffsetSpan, Outbox, Parcel } from './outbox.js';

/** A blocked partition looks again after this time, or after a restart. */
const BLOCKED_RETRY_MS = 30_000;
const FAILED_RETRY_MS = 1_000;
/** Of a chunk, for keys and headers. */
const SPARE_BYTES = 64 * 1024;

/** What the sender of one partition is made with. */
export interface SenderOptions {
  readonly system: Pick<System, 'clock' | 'log' | 'problems'>;
  /** Names the partition to people: `sink <name>, topic <topic>, partition <n>`. */
  readonly id: string;
  readonly feed: PartitionFeed;
  readonly outbox: Outbox;
  readonly courier: Courier;
  readonly from: 'earliest' | 'latest';
  readonly destination: Pick<Destination, 'formats'>;
  readonly batchRecords: number;
  readonly batchBytes: number;
  readonly lingerMs: number;
  /** Offsets that retention has removed are passed over; a person said so. */
  readonly acceptGap: boolean;
}

/** Sends one partition, in order, one request after the other. */
export class PartitionSender implements PartitionWorker {
  readonly #options: SenderOptions;
  readonly #intake: Intake;
  #chunk: ChunkWriter;
  readonly #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #isReading = false;
  /** The head of the intake stands at a record that did not fit any more. */
  #isAhead = false;
  /** The next offset to take, and what has been committed. */
  #position = 0;
  #committed = 0;
  #firstTakenAt = 0;
  /** Records in the parcel that is under way. */
  #underWay = 0;
  #blocked: string | undefined;
  /** Records at the head of the chunk that were refused; what follows shows whose fault it is. */
  #carried: readonly OffsetSpan[] = [];
  #triedAt = 0;
  #drainTo: number | undefined;
  #isCutWanted = false;
  #waiting: (() => void)[] = [];

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#intake = new Intake(options.feed);
    this.#chunk = new ChunkWriter(options.batchBytes + SPARE_BYTES);
  }

  get status(): WorkerStatus {
    const heldRecords = this.#chunk.records + this.#underWay;
    return {
      doneTo: heldRecords === 0 ? this.#position : this.#committed,
      readTo: this.#position,
      heldRecords,
      heldBytes: this.#chunk.contentBytes,
      blocked: this.#blocked,
    };
  }

  start(): void {
    this.#running = this.#run();
  }

  take(records: FetchedRecords): void {
    if (this.#intake.offer(records)) this.#fill();
    else this.#forget();
    this.#wake();
  }

  tick(): void {
    this.#wake();
  }

  cut(): void {
    this.#isCutWanted = true;
    this.#wake();
  }

  async drain(until: number): Promise<void> {
    this.#drainTo = until;
    this.#wake();
    while (!this.#abort.signal.aborted && !this.#isDrained(until)) await this.#change();
    this.#drainTo = undefined;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#wake();
    await this.#running;
    const { system, id } = this.#options;
    system.problems.clear(id);
  }

  #isDrained(until: number): boolean {
    return this.#isReading && this.#position >= until && this.status.heldRecords === 0;
  }

  async #run(): Promise<void> {
    const { system } = this.#options;
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#work();
      } catch (error) {
        if (signal.aborted) return;
        const message = error instanceof Error ? error.message : String(error);
        system.log.warn(`sending failed, trying again: ${message}`);
        await system.clock.sleep(FAILED_RETRY_MS, signal);
      }
      this.#stopReading();
      this.#empty();
    }
  }

  /** From what is committed on; ends by an error, or when it is closed. */
  async #work(): Promise<void> {
    const { feed, outbox, destination } = this.#options;
    const { signal } = this.#abort;
    this.#underWay = 0;
    const committed = await feed.committed();
    const saved = await outbox.load();
    // Another format: the sink was of another type when it was stored.
    const isKnown = saved !== undefined && destination.formats.includes(saved.format);
    const left = isKnown ? remainder(saved, committed) : undefined;
    if (left === undefined) {
      this.#position = committed ?? (await this.#first());
      this.#committed = this.#position;
    } else {
      this.#position = left.next;
      await this.#bring(left);
    }
    while (!signal.aborted) {
      await this.#read();
      const parcel = await this.#cutWhenDue();
      if (parcel === undefined) continue;
      await outbox.save(parcel);
      await this.#bring(parcel);
    }
  }

  /** Committed at once, so that a restart does not begin elsewhere. */
  async #first(): Promise<number> {
    const { feed, from } = this.#options;
    const { start, end } = await feed.range();
    const first = from === 'latest' ? end : start;
    await feed.commit(first);
    return first;
  }

  async #bring(parcel: Parcel): Promise<void> {
    const { courier, outbox } = this.#options;
    const { signal } = this.#abort;
    this.#underWay = offsetsOf(parcel.chunk).length;
    let left: Parcel = parcel;
    let proven: Narrowing | undefined;
    for (;;) {
      const outcome = await courier.bring(left, signal, proven);
      if (outcome.type === 'aborted') return;
      this.#triedAt = this.#options.system.clock.monotonic();
      this.#committed = outcome.type === 'undecided' ? outcome.left.from : parcel.next;
      if (outcome.type === 'undecided') this.#carry(outcome.left);
      if (outcome.type === 'undecided') this.#block(outcome.reason);
      else if (outcome.type === 'arrived') this.#unblock();
      if (outcome.type !== 'blocked') break;
      await this.#standStill(outcome.reason);
      if (signal.aborted) return;
      // What arrived before the obstacle is not sent again.
      left = (await outbox.load()) ?? left;
      ({ proven } = outcome);
    }
    this.#underWay = 0;
  }

  /** What is left of a parcel goes into the next one, in front. */
  #carry({ chunk, ranges }: Parcel): void {
    const { batchBytes } = this.#options;
    const isLeft = (offset: number) => ranges.some(({ start }) => start === offset);
    const records = new ChunkCursor();
    records.open(chunk);
    let bytes = 0;
    while (records.next()) if (isLeft(records.offset)) bytes += spanBytesOf(records);
    this.#chunk = new ChunkWriter(batchBytes + SPARE_BYTES + bytes);
    records.open(chunk);
    while (records.next()) if (isLeft(records.offset)) this.#chunk.append(records);
    this.#carried = ranges;
  }

  #empty(): void {
    this.#chunk.clear();
    if (this.#carried.length === 0) return;
    this.#carried = [];
    this.#chunk = new ChunkWriter(this.#options.batchBytes + SPARE_BYTES);
  }

  #block(reason: string): void {
    const { system, id } = this.#options;
    this.#blocked = reason;
    system.problems.raise(id, `${id} waits for a person: ${reason}`);
  }

  #unblock(): void {
    const { system, id } = this.#options;
    this.#blocked = undefined;
    system.problems.clear(id);
  }

  async #standStill(obstacle: string): Promise<void> {
    this.#block(obstacle);
    await this.#options.system.clock.sleep(BLOCKED_RETRY_MS, this.#abort.signal);
  }

  async #read(): Promise<void> {
    const { acceptGap } = this.#options;
    const outcome = await this.#intake.read(this.#position);
    if (outcome === 'superseded') return;
    this.#isReading = true;
    if (outcome === 'reading') {
      if (this.#carried.length === 0) this.#unblock();
      this.#fill();
      return;
    }
    const { start, end } = outcome;
    if (this.#fresh > 0) return this.cut();
    this.#isReading = false;
    if (start > this.#position && acceptGap) {
      this.#position = start;
      return;
    }
    await this.#standStill(
      start > this.#position
        ? `retention has removed offsets ${this.#position} to ${start - 1} before they were ` +
            'sent; start once with --accept-gap to go on without them'
        : `the topic ends at ${end}, but offset ${this.#position} is to be sent next: ` +
            'records were lost in the broker, or reset the group',
    );
  }

  #stopReading(): void {
    this.#isReading = false;
    this.#intake.pause();
    this.#forget();
  }

  #forget(): void {
    this.#intake.forget();
    this.#isAhead = false;
  }

  /** Records in the chunk that were not sent yet. */
  get #fresh(): number {
    return this.#chunk.records - this.#carried.length;
  }

  /** Takes what fits into the next parcel. */
  #fill(): void {
    while (this.#isReading) {
      const { head } = this.#intake;
      if (head === undefined) return;
      const { records } = head;
      while (this.#isAhead || records.next()) {
        if (records.offset >= this.#position && !this.#takeRecord(records)) return;
        this.#isAhead = false;
      }
      this.#position = Math.max(this.#position, head.nextOffset);
      this.#intake.use(this.#position, true);
    }
  }

  /** False where the parcel is full. */
  #takeRecord(record: FetchedRecords['records']): boolean {
    const { batchRecords, batchBytes, system } = this.#options;
    const chunk = this.#chunk;
    const isFull =
      this.#fresh >= batchRecords || chunk.contentBytes + contentBytesOf(record) > batchBytes;
    // The first one goes in whatever its size, also behind records that were carried over.
    if (this.#fresh === 0) {
      chunk.append(record);
    } else if (isFull || !chunk.tryAppend(record)) {
      this.#isAhead = true;
      this.#intake.use(this.#position, false);
      return false;
    }
    if (this.#fresh === 1) this.#firstTakenAt = system.clock.monotonic();
    this.#position = record.offset + 1;
    return true;
  }

  /** undefined where reading has to begin again first. */
  async #cutWhenDue(): Promise<Parcel | undefined> {
    const { signal } = this.#abort;
    while (this.#isReading && !this.#isDue()) {
      if (signal.aborted || this.#intake.isForgotten) return undefined;
      await this.#change();
    }
    if (!this.#isReading || signal.aborted) return undefined;
    this.#isReading = false;
    this.#isCutWanted = false;
    this.#intake.pause();
    const { system, destination } = this.#options;
    const chunk = Buffer.from(
      this.#chunk.finish(this.#committed, this.#position, system.clock.now()),
    );
    const carried = this.#carried;
    this.#empty();
    const offsets = offsetsOf(chunk).slice(carried.length);
    const [start] = offsets;
    const fresh = start === undefined ? [] : [{ start, end: offsets.at(-1) ?? start }];
    const ranges = [...carried, ...fresh];
    const [format] = destination.formats;
    return { format, from: this.#committed, ranges, next: this.#position, chunk };
  }

  #isDue(): boolean {
    const { batchRecords, batchBytes, lingerMs, system } = this.#options;
    const records = this.#fresh;
    const nowMs = system.clock.monotonic();
    if (this.#carried.length > 0 && nowMs - this.#triedAt >= BLOCKED_RETRY_MS) return true;
    if (records === 0) return false;
    if (this.#isAhead || records >= batchRecords) return true;
    if (this.#chunk.contentBytes >= batchBytes) return true;
    if (this.#isCutWanted || this.#position >= (this.#drainTo ?? Infinity)) return true;
    return nowMs - this.#firstTakenAt >= lingerMs;
  }

  /** Resolves with the next call from outside; ticks come often. */
  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
