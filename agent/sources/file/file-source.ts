import { resolve } from 'node:path';
import { Alarm } from '../alarm.js';
import type { Source, SourceContext, SourceStatus } from '../source.js';
import { SourceCounts } from '../source-counts.js';
import { ContentError } from './content.js';
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
/** After this time without any progress it says what it waits for, and how often it tries. */
const sayBlockedAfterMs = 10_000;
const blockedPauseMs = 20;

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
  #retryAtMs = 0;
  #retryDelayMs = firstRetryMs;
  /** Since when the producer has taken nothing; Infinity once that was said. */
  #blockedSinceMs: number | undefined;
  /** By origin: the order of the youngest generation of which lines were sent. */
  readonly #youngest = new Map<string, number>();
  readonly #counts: SourceCounts;

  constructor(
    private readonly context: SourceContext,
    private readonly options: FileOptions,
  ) {
    const { system, log, positions } = context;
    const stored = positions.restore(storedFileSource);
    const absolute = (globs: readonly string[]) => globs.map((glob) => resolve(glob));
    this.#lister = new Lister(
      system.disk,
      log,
      absolute(options.include),
      absolute(options.exclude),
    );
    this.#alarm = new Alarm(system.clock);
    this.#counts = new SourceCounts(system, context.name);
    this.#sender = new LineSender(context.producer, context.chain, {
      delimiter: Buffer.from(options.delimiter),
      maxLineBytes: options.max_line_bytes,
    });
    const state = startState(stored, options.read_from === 'end');
    this.#files = new OpenFiles(context, options, state, this.#lister, {
      onUnfinished: (generation, rest) => this.#sendUnfinished(generation, rest),
      onAcknowledged: (records) => this.#onAcknowledged(records),
      onFailure: (generation, error, records) => this.#onFailure(generation, error, records),
    });
    positions.keep(() => this.#files.store());
  }

  async start(): Promise<void> {
    this.#watch = await this.context.system.watch.directories(this.#lister.roots, {
      onChange: (path) => this.#onChange(path),
    });
    await this.#look();
    // From here on a restart knows what was there before, and what was passed over.
    await this.context.positions.save();
    this.#loop = this.#run();
  }

  async drain(): Promise<void> {
    this.#limits ??= new Map();
    this.#alarm.ring();
    await this.#loop;
  }

  unsent(): readonly string[] {
    return [];
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#alarm.ring();
    await this.#loop;
    await this.#watch?.close();
    this.#files.closeAll();
  }

  status(): SourceStatus {
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
      if (this.#nowMs >= this.#nextLookMs || this.#limits?.size === 0) await this.#look();
      this.#rewindFailed();
      const progressed = this.#nowMs >= this.#retryAtMs && (await this.#round());
      if (this.#sender.isBlocked) await this.#untilWritable(progressed);
      else if (progressed) await this.#alarm.turn();
      else if (this.#limits && this.#isDrained()) return this.#finishDrain();
      else await this.#alarm.wait(this.#untilNextMs());
    }
  }

  /** Waits for the producer, which may be full, or look for the topic in vain. */
  async #untilWritable(progressed: boolean): Promise<void> {
    await this.#alarm.orRing(this.context.producer.writable());
    if (progressed) {
      this.#blockedSinceMs = undefined;
      return;
    }
    this.#blockedSinceMs ??= this.#nowMs;
    if (this.#nowMs - this.#blockedSinceMs > sayBlockedAfterMs) {
      const { topic } = this.options;
      this.context.log.warn(`nothing can be sent to topic ${topic}; trying again`, {
        hint: 'is the broker reachable, and does the topic exist?',
      });
      this.#blockedSinceMs = Number.POSITIVE_INFINITY;
    }
    await this.#alarm.wait(blockedPauseMs);
  }

  async #look(): Promise<void> {
    const start = this.#nowMs;
    await this.#files.look();
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
    let progressed = false;
    for (const reader of this.#files.inOrder) {
      if (this.#isStopping) break;
      if (reader.isAtEnd && startMs < reader.dueMs && !this.#limits) continue;
      // Closed or moved while its elders were visited.
      if (this.#files.readers.get(reader.generation.id) !== reader) continue;
      if (await this.#visit(reader)) progressed = true;
      if (this.#sender.isBlocked) break;
    }
    return progressed;
  }

  async #visit(reader: FileReader): Promise<boolean> {
    try {
      await this.#files.poll(reader, this.#nowMs);
      // It was not written to, so it is its name that changed.
      if (reader.isHinted) this.#lookSoon();
      reader.isHinted = false;
      const isNext = !reader.isUnread || (await this.#areEldersRead(reader));
      if (!isNext) await this.#verify(reader);
      const progressed = isNext && (await this.#readOn(reader));
      if (!progressed) reader.schedule(this.#nowMs);
      reader.isFailing = false;
      return progressed;
    } catch (error) {
      const { path } = reader.generation;
      if (!reader.isFailing) this.context.log.warn(`cannot read ${path}; trying again`, { error });
      reader.isFailing = true;
      reader.dueMs = this.#nowMs + firstRetryMs;
      // Damaged content stays damaged: nobody shall wait for it. A changed file is tried again.
      if (error instanceof ContentError) reader.isAtEnd = true;
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
      if (this.#files.readers.get(elder.generation.id) !== elder) continue;
      await this.#files.poll(elder, this.#nowMs);
      if (!elder.isUnread) continue;
      if (!elder.isAtEnd) elder.dueMs = 0;
      return false;
    }
    return true;
  }

  async #readOn(reader: FileReader): Promise<boolean> {
    const { generation } = reader;
    for (let reads = 0; reads < readsPerTurn; reads++) {
      const takesRest = this.#takesRest(reader);
      const isOurs = this.#files.readers.get(generation.id) === reader;
      if (!isOurs || generation.state !== 'reading') return reads > 0;
      if (reader.isAtEnd && !(takesRest && reader.rest.length > 0)) return reads > 0;
      const moved = await this.#read(reader, takesRest);
      if (this.#sender.isBlocked || this.#failed.has(generation)) return moved || reads > 0;
    }
    return true;
  }

  #takesRest(reader: FileReader): boolean {
    if (this.#limits) return true;
    return this.#nowMs - reader.restSinceMs >= this.options.partial_after;
  }

  /** True where something was taken from the file. */
  async #read(reader: FileReader, takesRest: boolean): Promise<boolean> {
    const { generation } = reader;
    const route = this.#files.routes.get(generation.id);
    if (!route) return false;
    const now = this.context.system.clock.now();
    const isCurrent = () => !this.#failed.has(generation) && !this.#isStopping;
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
    return moved;
  }

  /** Counts what was handed to the producer since the last call. */
  #noteSent({ order, origin }: Generation): void {
    const { records, bytes, partials } = this.#sender.take();
    if (records === 0) return;
    this.#counts.sent(records, bytes, partials);
    const youngest = this.#youngest.get(origin) ?? order;
    if (youngest > order) this.#counts.late(records);
    this.#youngest.set(origin, Math.max(order, youngest));
  }

  #sendUnfinished(generation: Generation, rest: Buffer): void {
    const route = this.#files.routes.get(generation.id);
    if (!route) return;
    const delivery = route.acknowledgements.open();
    const now = this.context.system.clock.now();
    this.#sender.send(route, delivery, rest, 0, now, true);
    const position = generation.place.position + rest.length;
    route.acknowledgements.close(delivery, { position, tail: generation.place.tail });
    this.#noteSent(generation);
  }

  #onAcknowledged(records: number): void {
    this.#counts.acknowledged(records);
    if (records > 0) this.#retryDelayMs = firstRetryMs;
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
      generation.place = route.acknowledgements.acknowledged;
      generation.passed = [];
      const reader = this.#files.readers.get(generation.id);
      if (reader) reader.restart();
      else this.context.log.error(`${generation.path} is gone; its lines cannot be sent again`);
    }
    this.#failed.clear();
  }

  #isDrained(): boolean {
    for (const reader of this.#files.inOrder) {
      if (reader.generation.state === 'undecided' || !reader.isUnread) continue;
      if (reader.isFailing) continue;
      if (reader.generation.place.position < (this.#limits?.get(reader) ?? Infinity)) return false;
    }
    return true;
  }

  async #finishDrain(): Promise<void> {
    await this.#alarm.orRing(this.context.producer.flush());
    for (const { acknowledgements } of this.#files.routes.values()) {
      while (!acknowledgements.isDone && !this.#isStopping) await this.#alarm.wait(lookEveryMs);
    }
    await this.context.positions.save();
  }

  #untilNextMs(): number {
    const now = this.#nowMs;
    let next = Math.max(this.#nextLookMs, this.#retryAtMs);
    if (this.#retryAtMs > now) return this.#retryAtMs - now;
    for (const reader of this.#files.inOrder) if (reader.dueMs < next) next = reader.dueMs;
    return Math.max(1, next - now);
  }
}
