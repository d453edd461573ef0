import { resolve } from 'node:path';
import type { BatchFailure } from '../../producer.js';
import { isOwnFault, reasonOf, refusedRecord, type UnsentRecord } from '../../refusal.js';
import { Alarm } from '../alarm.js';
import { Blockage } from '../blockage.js';
import { Room } from '../room.js';
import type { Source, SourceContext } from '../source.js';
import type { Run } from './acknowledgements.js';
import { FileCounts, type FileStatus } from './file-counts.js';
import type { FileReader } from './file-reader.js';
import { type Generation, storedFileSource } from './generation.js';
import { startState } from './identity.js';
import { LineSender } from './line-sender.js';
import { Lister } from './lister.js';
import { OpenFiles } from './open-files.js';
import type { FileOptions } from './options.js';

/** The directories are looked at this often without a hint, and at the soonest after one. */
const lookEveryMs = 1_000;
const lookSoonestMs = 50;
/** The share of the time that looking may take: after a look of 50 ms, a second passes. */
const lookShare = 1 / 20;
/** Reads of one file before it is the next one's turn. */
const readsPerTurn = 8;
/** After a failure the agent waits, longer each time. */
const firstRetryMs = 1_000;
const lastRetryMs = 30_000;
const blockedPauseMs = 20;
/** An older file that cannot be read holds up the younger ones for so long. */
const failingElderMs = 30_000;
/** A `.gz` that ends in mid-stream is waited for so long before its end is taken as it is. */
const unfinishedGzipMs = 600_000;

/** Follows files: the shell around `step`. One loop, one read at a time. */
export class FileSource implements Source {
  readonly #files: OpenFiles;
  readonly #lister: Lister;
  readonly #sender: LineSender;
  readonly #alarm: Alarm;
  #watch: { close(): Promise<void> } | undefined;
  #loop: Promise<void> | undefined;
  #isStopping = false;
  /** While draining: how far each reader has to come. */
  #limits: Map<FileReader, number> | undefined;
  #nextLookMs = 0;
  #lastLookMs = { end: 0, duration: 0 };
  /** Generations to read again, as an acknowledgement failed. */
  readonly #failed = new Set<Generation>();
  /** Whose lines are being sent. */
  #reading: Generation | undefined;
  #retryAtMs = 0;
  #retryDelayMs = firstRetryMs;
  readonly #blockage: Blockage;
  readonly #room: Room;
  /** Unfinished lines of files that were cut, which wait for the producer's memory. */
  readonly #unfinished: { generation: Generation; rest: Buffer }[] = [];
  /** By origin: the order of the youngest generation of which lines were sent. */
  readonly #youngest = new Map<string, number>();
  readonly #counts: FileCounts;

  constructor(
    private readonly context: SourceContext,
    private readonly options: FileOptions,
  ) {
    const { system, positions } = context;
    const stored = positions.restore(storedFileSource);
    const absolute = (globs: readonly string[]) => globs.map((glob) => resolve(glob));
    this.#lister = new Lister(
      system.disk,
      system.problems,
      absolute(options.include),
      absolute(options.exclude),
    );
    this.#alarm = new Alarm(system.clock);
    this.#room = new Room(context.producer, this.#alarm);
    this.#counts = new FileCounts(system, context.name);
    this.#blockage = new Blockage(system, context.producer, context.name, options.topic);
    const lineOptions = {
      delimiter: Buffer.from(options.delimiter),
      maxLineBytes: options.max_line_bytes,
    };
    this.#sender = new LineSender(
      context.producer,
      context.chain,
      lineOptions,
      (record, error, start, end) => this.#setAside(this.#reading, record, error, start, end),
    );
    const state = startState(stored, options.read_from === 'end');
    this.#files = new OpenFiles(context, options, state, this.#lister, {
      onUnfinished: (generation, rest) => this.#unfinished.push({ generation, rest }),
      onRefused: (generation, failures, run) => this.#onRefused(generation, failures, run),
      onAcknowledged: (records) => this.#onAcknowledged(records),
      onFailure: (generation, error, records) => this.#onFailure(generation, error, records),
    });
    this.#counts.gauge('open_files', 'Files or mails at hand', () => this.#files.readers.size);
    positions.keep(() => this.#files.store());
  }

  async start(): Promise<void> {
    this.#watch = await this.context.system.watch.directories(this.#lister.roots, {
      onChange: (path) => this.#onChange(path),
    });
    await this.#look();
    // From here on a restart knows what was there before, and what was passed over.
    await this.context.positions.saveOrSay();
    this.#loop = this.#run();
  }

  async drain(): Promise<void> {
    this.#limits ??= new Map();
    this.#alarm.ring();
    await this.#loop;
  }

  unsent(): readonly string[] {
    const texts = [...this.#lister.unlisted(), ...this.#files.troubles.list()];
    for (const { generation } of this.#unfinished) {
      texts.push(`the unfinished last line of ${generation.path}, which was cut, is not sent`);
    }
    for (const reader of this.#files.inOrder) {
      const { state, path } = reader.generation;
      if (reader.failure !== undefined || !reader.isUnread) continue;
      if (state === 'undecided') texts.push(`${path} is still being written, or copied`);
      else if (!this.#isReadUp(reader)) texts.push(`${path} is not read to its end`);
    }
    for (const [id, { acknowledgements }] of this.#files.routes) {
      if (acknowledgements.isDone) continue;
      const path = this.#files.state.generations.get(id)?.path;
      texts.push(`lines of ${path ?? 'a file that is gone'} are not acknowledged`);
    }
    return texts;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#alarm.ring();
    await this.#loop;
    await this.#watch?.close();
    this.#blockage.close();
    this.#files.closeAll();
  }

  status(): FileStatus {
    let lagBytes = 0;
    for (const { generation } of this.#files.readers.values()) {
      if (generation.compressed) continue;
      const route = this.#files.routes.get(generation.id);
      const done = route?.acknowledgements.acknowledged.position ?? 0;
      lagBytes += Math.max(0, generation.size - done);
    }
    const files = this.#files.readers.size;
    return { type: 'file', ...this.#counts.read(), files, lagBytes };
  }

  get #nowMs(): number {
    return this.context.system.clock.monotonic();
  }

  #onChange(path: string): void {
    const reader = this.#files.at(path);
    if (reader) {
      reader.isHinted = true;
      reader.dueMs = 0;
    } else if (this.#lister.concerns(path)) this.#lookSoon();
    this.#alarm.ring();
  }

  #lookSoon(): void {
    const { end, duration } = this.#lastLookMs;
    const soonest = end + Math.max(lookSoonestMs, duration / lookShare);
    this.#nextLookMs = Math.min(this.#nextLookMs, soonest);
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const isLookDue = this.#nowMs >= this.#nextLookMs || this.#limits?.size === 0;
      if (isLookDue && !(await this.#tryLook())) continue;
      this.#rewindFailed();
      const mayRead = this.#nowMs >= this.#retryAtMs && !this.#isSettingAside;
      const progressed = mayRead && (await this.#round());
      if (mayRead && this.#sender.isBlocked) await this.#untilWritable(progressed);
      else if (progressed) await this.#alarm.turn();
      else if (this.#limits && this.#isDrained()) {
        if (await this.#finishDrain()) return;
      } else await this.#alarm.wait(this.#untilNextMs());
    }
  }

  /** Refused records wait in memory to be kept: more may be refused of what is read now. */
  get #isSettingAside(): boolean {
    return this.context.failedRecords.pending > 0;
  }

  /** Waits for the producer, which may be full, or look for the topic in vain. */
  async #untilWritable(progressed: boolean): Promise<void> {
    // Files are looked at meanwhile: they may be renamed, or cut.
    await this.#room.wait(lookEveryMs);
    if (!progressed && !this.#isStopping) await this.#alarm.wait(blockedPauseMs);
  }

  /** Whatever goes wrong in a look, the next one may do better. */
  async #tryLook(): Promise<boolean> {
    try {
      await this.#look();
      this.#blockage.check(this.#isWaiting());
      this.context.system.problems.clear(this.#lookProblem);
      return true;
    } catch (error) {
      const text = `cannot look at the files of source ${this.context.name}; trying again`;
      this.context.system.problems.raise(this.#lookProblem, `${text}: ${reasonOf(error)}`);
      this.#nextLookMs = this.#nowMs + firstRetryMs;
      if (this.#limits?.size === 0) await this.#alarm.wait(firstRetryMs);
      return false;
    }
  }

  get #lookProblem(): string {
    return `looking at files of ${this.context.name}`;
  }

  #isWaiting(): boolean {
    if (this.#sender.isBlocked || this.#sender.error) return true;
    for (const { acknowledgements } of this.#files.routes.values()) {
      if (!acknowledgements.isDone) return true;
    }
    return false;
  }

  async #look(): Promise<void> {
    const start = this.#nowMs;
    const { nextId } = this.#files.state;
    await this.#files.look();
    // After a kill a file is found under any name once it is stored. The save counts as looking,
    // so many new files cannot make it happen all the time.
    if (this.#files.state.nextId !== nextId) await this.context.positions.saveOrSay();
    const end = this.#nowMs;
    this.#lastLookMs = { end, duration: end - start };
    this.#nextLookMs = end + Math.max(lookEveryMs, (end - start) / lookShare);
    if (this.#limits?.size !== 0) return;
    for (const reader of this.#files.inOrder) this.#limits.set(reader, reader.generation.size);
  }

  /** Visits each file once; true where something was read. */
  async #round(): Promise<boolean> {
    // A file that is read up sends nothing, so it would not clear what an earlier round left.
    this.#sender.isBlocked = false;
    const startMs = this.#nowMs;
    let progressed = this.#sendUnfinished();
    if (this.#sender.isBlocked) return progressed;
    for (const reader of this.#files.inOrder) {
      if (this.#isStopping) break;
      if (reader.isAtEnd && startMs < reader.dueMs && !this.#limits) continue;
      // Closed or moved while its elders were visited.
      if (this.#files.readers.get(reader.generation.id) !== reader) continue;
      if (await this.#visit(reader)) progressed = true;
      if (this.#sender.isBlocked || this.#sender.error || this.#isSettingAside) break;
    }
    return progressed;
  }

  async #visit(reader: FileReader): Promise<boolean> {
    const { failure } = reader;
    try {
      await this.#files.poll(reader, this.#nowMs);
      // It was not written to, so it is its name that changed.
      if (reader.isHinted) this.#lookSoon();
      reader.isHinted = false;
      const isNext = !reader.isUnread || (await this.#areEldersRead(reader));
      if (!isNext) await this.#verify(reader);
      const progressed = isNext && (await this.#readOn(reader));
      if (!progressed) reader.schedule(this.#nowMs);
      // Of one that is damaged nothing was read just now.
      const isUntried = failure?.isDamaged && reader.isAtEnd;
      if (reader.failure === failure && !isUntried) this.#files.readAgain(reader);
      return progressed;
    } catch (error) {
      this.#files.fail(reader, error);
      reader.dueMs = this.#nowMs + firstRetryMs;
      return false;
    }
  }

  /** One that waits for its elders may be cut meanwhile, and its copy will be held only so long. */
  async #verify(reader: FileReader): Promise<void> {
    const { id, state, compressed } = reader.generation;
    if (!reader.isUnverified || state !== 'reading' || compressed) return;
    if (!(await reader.verify())) await this.#files.tell({ type: 'replaced', id });
  }

  /**
   * What was written before is sent before: whether the older generations of its origin are read
   * up to this moment, unfinished lines included.
   */
  async #areEldersRead(reader: FileReader): Promise<boolean> {
    for (const elder of this.#files.eldersOf(reader)) {
      if (this.#files.readers.get(elder.generation.id) !== elder || this.#isGivenUp(elder))
        continue;
      try {
        await this.#files.poll(elder, this.#nowMs);
      } catch (error) {
        this.#files.fail(elder, error);
        return false;
      }
      if (!elder.isUnread) continue;
      if (!elder.isAtEnd) elder.dueMs = 0;
      return false;
    }
    return true;
  }

  /** Damaged content stays damaged, and a broken disk broken: nobody waits for them for ever. */
  #isGivenUp({ failure }: FileReader): boolean {
    if (failure === undefined) return false;
    return failure.isDamaged || this.#nowMs - failure.sinceMs > failingElderMs;
  }

  async #readOn(reader: FileReader): Promise<boolean> {
    const { generation } = reader;
    for (let reads = 0; reads < readsPerTurn; reads++) {
      const takesRest = this.#takesRest(reader);
      const isOurs = this.#files.readers.get(generation.id) === reader;
      if (!isOurs || generation.state !== 'reading') return reads > 0;
      if (reader.isAtEnd && !(takesRest && reader.rest.length > 0)) return reads > 0;
      const moved = await this.#read(reader, takesRest);
      const isHeldUp = this.#sender.isBlocked || this.#sender.error || this.#isSettingAside;
      if (isHeldUp || this.#failed.has(generation)) return moved || reads > 0;
      if (!moved && reader.isAtEnd) return reads > 0;
    }
    return true;
  }

  #takesRest(reader: FileReader): boolean {
    if (this.#limits) return true;
    const isWritten = !reader.generation.compressed || reader.content.isWhole;
    const quietMs = this.#nowMs - reader.restSinceMs;
    return quietMs >= Math.max(this.options.partial_after, isWritten ? 0 : unfinishedGzipMs);
  }

  /** True where something was taken from the file. */
  async #read(reader: FileReader, takesRest: boolean): Promise<boolean> {
    const { generation } = reader;
    const route = this.#files.routes.get(generation.id);
    if (!route) return false;
    const now = this.context.system.clock.now();
    const isCurrent = () => !this.#failed.has(generation) && !this.#isStopping;
    this.#reading = generation;
    const result = await reader.read(this.#sender, route, now, takesRest, isCurrent);
    if (!result) return false;
    const { id } = generation;
    if (result.isReplaced) {
      await this.#files.tell({ type: 'replaced', id });
      return true;
    }
    const { place, fingerprint } = result;
    const moved = place !== generation.place;
    if (moved || fingerprint !== generation.fingerprint) {
      await this.#files.tell({ type: 'advanced', id, place, fingerprint });
    }
    this.#noteSent(generation);
    if (this.#sender.error) this.#retryAtMs = this.#nowMs + firstRetryMs;
    return moved;
  }

  /** Counts what was handed to the producer since the last call. */
  #noteSent({ order, origin }: Generation): void {
    const { records, bytes, partials } = this.#sender.take();
    if (records === 0) return;
    this.#counts.sent(records, bytes);
    this.#counts.partial(partials);
    const youngest = this.#youngest.get(origin) ?? order;
    if (youngest > order) this.#counts.late(records);
    this.#youngest.set(origin, Math.max(order, youngest));
  }

  /** True where something of them was sent; the sender is blocked while they wait. */
  #sendUnfinished(): boolean {
    let progressed = false;
    for (;;) {
      const [first] = this.#unfinished;
      const route = first && this.#files.routes.get(first.generation.id);
      if (!first) return progressed;
      if (!route) {
        this.#unfinished.shift();
        continue;
      }
      const { generation, rest } = first;
      const { position, tail } = generation.place;
      const now = this.context.system.clock.now();
      this.#reading = generation;
      const delivery = route.acknowledgements.open();
      const end = this.#sender.send(route, delivery, rest, 0, now, true, position, 0);
      generation.place = { position: position + end, tail };
      route.acknowledgements.close(delivery, generation.place);
      this.#noteSent(generation);
      if (end > 0) progressed = true;
      first.rest = rest.subarray(end);
      if (first.rest.length > 0) return progressed;
      this.#unfinished.shift();
    }
  }

  #onRefused(
    generation: Generation,
    failures: readonly BatchFailure[],
    { start, end }: Run,
  ): Promise<void> | undefined {
    const records = failures.map(refusedRecord);
    const isOwn = records.every((record) => record !== undefined && isOwnFault(record.error));
    if (!isOwn) return undefined;
    const kept = records.map(
      (record) => record && this.#setAside(generation, record, record.error, start, end),
    );
    return Promise.all(kept).then(() => {});
  }

  async #setAside(
    generation: Generation | undefined,
    { key, value, headers, timestamp }: UnsentRecord,
    error: Error,
    start: number,
    end: number,
  ): Promise<void> {
    const { name: source, failedRecords } = this.context;
    const file = generation?.path ?? '';
    const where = { source, topic: this.options.topic, reason: reasonOf(error), file, start, end };
    await failedRecords.keep({ key, value, headers, timestamp, ...where });
    this.#counts.setAside();
    this.#alarm.ring();
  }

  #onAcknowledged(records: number): void {
    this.#counts.acknowledged(records);
    if (records > 0) {
      this.#retryDelayMs = firstRetryMs;
      this.#blockage.progressed();
    }
    this.context.chain.delivered(records, true);
    this.context.positions.changed();
    if (this.#limits) this.#alarm.ring();
  }

  #onFailure(generation: Generation, error: Error, records: number): void {
    this.context.chain.delivered(records, false);
    this.context.log.error(
      `${records} lines of ${generation.path} could not be sent; reading them again in ` +
        `${this.#retryDelayMs / 1000} s`,
      { error },
    );
    this.#failed.add(generation);
    this.#retryAtMs = this.#nowMs + this.#retryDelayMs;
    this.#retryDelayMs = Math.min(lastRetryMs, this.#retryDelayMs * 2);
  }

  #rewindFailed(): void {
    for (const generation of this.#failed) {
      const route = this.#files.routes.get(generation.id);
      if (!route) continue;
      const { acknowledged } = route.acknowledgements;
      generation.place = acknowledged;
      generation.passed = generation.passed.filter((one) => one.position < acknowledged.position);
      const reader = this.#files.readers.get(generation.id);
      if (reader) reader.restart();
      else this.context.log.error(`${generation.path} is gone; its lines cannot be sent again`);
    }
    this.#failed.clear();
  }

  #isDrained(): boolean {
    if (this.#unfinished.length > 0 || this.#isSettingAside) return false;
    return this.#files.inOrder.every((reader) => this.#isReadUp(reader));
  }

  /** Whether it is read as far as a drain asks for; what cannot be read is told by `unsent`. */
  #isReadUp(reader: FileReader): boolean {
    if (!reader.isUnread || reader.failure !== undefined) return true;
    if (reader.generation.state === 'undecided') return false;
    return reader.generation.place.position >= (this.#limits?.get(reader) ?? Infinity);
  }

  /** False where something has to be sent again. */
  async #finishDrain(): Promise<boolean> {
    await this.#alarm.orRing(this.context.producer.flush());
    for (const { acknowledgements } of this.#files.routes.values()) {
      while (!acknowledgements.isDone && !this.#isStopping) await this.#alarm.wait(lookEveryMs);
    }
    if (this.#failed.size > 0 || this.#isStopping) return false;
    await this.context.positions.save();
    return true;
  }

  #untilNextMs(): number {
    const now = this.#nowMs;
    let next = Math.max(this.#nextLookMs, this.#retryAtMs);
    if (this.#retryAtMs > now) return this.#retryAtMs - now;
    if (this.#isSettingAside) return Math.max(1, this.#nextLookMs - now);
    for (const reader of this.#files.inOrder) if (reader.dueMs < next) next = reader.dueMs;
    return Math.max(1, next - now);
  }
}
