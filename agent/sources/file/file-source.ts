import { resolve } from 'node:path';
import { Alarm } from '../alarm.js';
import { Blockage } from '../blockage.js';
import { Room } from '../room.js';
import type { Source, SourceContext } from '../source.js';
import { Drain } from './drain.js';
import { FileCounts, type FileStatus } from './file-counts.js';
import { storedFileSource } from './generation.js';
import { Handover } from './handover.js';
import { startState } from './identity.js';
import { Lister } from './lister.js';
import { Looks } from './looks.js';
import { OpenFiles } from './open-files.js';
import type { FileOptions } from './options.js';
import { Outcomes } from './outcomes.js';
import { Visits } from './visits.js';

/** How long the producer is waited for, or an acknowledgement, before files are looked at. */
const waitMs = 1_000;
const blockedPauseMs = 20;

/** Follows files: one loop that looks at directories and visits files, one read at a time. */
export class FileSource implements Source {
  readonly #files: OpenFiles;
  readonly #lister: Lister;
  readonly #looks: Looks;
  readonly #visits: Visits;
  readonly #handover: Handover;
  readonly #outcomes: Outcomes;
  readonly #drain = new Drain();
  readonly #alarm: Alarm;
  readonly #room: Room;
  readonly #blockage: Blockage;
  readonly #counts: FileCounts;
  readonly #stop = new AbortController();
  #watch: { close(): Promise<void> } | undefined;
  #loop: Promise<void> | undefined;

  constructor(
    private readonly context: SourceContext,
    options: FileOptions,
  ) {
    const { system, positions, producer, name } = context;
    const stopping = this.#stop.signal;
    this.#alarm = new Alarm(system.clock);
    this.#room = new Room(producer, this.#alarm);
    this.#counts = new FileCounts(system, name);
    this.#blockage = new Blockage(system, producer, name, options.topic);
    this.#lister = listerOf(context, options);
    this.#outcomes = new Outcomes(
      context,
      options.topic,
      this.#counts,
      this.#blockage,
      this.#alarm,
    );
    const state = startState(positions.restore(storedFileSource), options.read_from === 'end');
    this.#files = new OpenFiles(context, options, state, this.#lister, {
      onUnfinished: (generation, rest) => this.#handover.keepRest(generation, rest),
      onRefused: (generation, failures, run) => this.#outcomes.refused(generation, failures, run),
      onAcknowledged: (records) => this.#onAcknowledged(records),
      onFailure: (generation, error, records) => this.#outcomes.failed(generation, error, records),
    });
    this.#handover = new Handover(
      context,
      options,
      this.#files,
      this.#outcomes,
      this.#drain,
      this.#counts,
      stopping,
    );
    this.#looks = new Looks(context, this.#files);
    this.#visits = new Visits(
      system.clock,
      this.#files,
      this.#handover,
      this.#looks,
      this.#drain,
      stopping,
    );
    this.#counts.gauge('open_files', 'Files or mails at hand', () => this.#files.readers.size);
    positions.keep(() => this.#files.store());
  }

  async start(): Promise<void> {
    this.#watch = await this.context.system.watch.directories(this.#lister.roots, {
      onChange: (path) => this.#onChange(path),
    });
    await this.#looks.look();
    // From here on a restart knows what was there before, and what was passed over.
    await this.context.positions.saveOrSay();
    this.#loop = this.#run();
  }

  async drain(): Promise<void> {
    this.#drain.begin();
    this.#alarm.ring();
    await this.#loop;
  }

  unsent(): readonly string[] {
    const unfinished = this.#handover.unfinished.map(
      ({ path }) => `the unfinished last line of ${path}, which was cut, is not sent`,
    );
    const unread = [...this.#lister.unlisted(), ...this.#files.troubles.list()];
    return [...unread, ...this.#files.lost(), ...unfinished, ...this.#drain.left(this.#files)];
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#alarm.ring();
    await this.#loop;
    await this.#watch?.close();
    this.#blockage.close();
    this.#files.closeAll();
  }

  status(): FileStatus {
    const files = this.#files.readers.size;
    return { type: 'file', ...this.#counts.read(), files, lagBytes: this.#files.lagBytes() };
  }

  get #nowMs(): number {
    return this.context.system.clock.monotonic();
  }

  get #isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  #onChange(path: string): void {
    const reader = this.#files.at(path);
    if (reader) reader.hint();
    else if (this.#lister.concerns(path)) this.#looks.hint();
    this.#alarm.ring();
  }

  #onAcknowledged(records: number): void {
    this.#outcomes.acknowledged(records);
    if (this.#drain.isUnderway) this.#alarm.ring();
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const isLookDue = this.#nowMs >= this.#looks.nextMs || this.#drain.wantsLook;
      if (isLookDue && !(await this.#look())) continue;
      await this.#outcomes.rewind(this.#files);
      const mayRead = this.#nowMs >= this.#outcomes.retryAtMs && !this.#outcomes.isSettingAside;
      const progressed = mayRead && (await this.#visits.round());
      if (mayRead && this.#handover.isBlocked) await this.#untilWritable(progressed);
      else if (progressed) await this.#alarm.turn();
      else if (this.#drain.isUnderway && this.#isDrained()) {
        if (await this.#finishDrain()) return;
      } else await this.#alarm.wait(this.#untilNextMs());
    }
  }

  /** Waits for the producer, which may be full, or look for the topic in vain. */
  async #untilWritable(progressed: boolean): Promise<void> {
    // Files are looked at meanwhile: they may be renamed, or cut.
    await this.#room.wait(waitMs);
    if (!progressed && !this.#isStopping) await this.#alarm.wait(blockedPauseMs);
  }

  async #look(): Promise<boolean> {
    if (!(await this.#looks.tryLook())) {
      if (this.#drain.wantsLook) await this.#alarm.wait(waitMs);
      return false;
    }
    if (this.#drain.wantsLook) this.#drain.limitTo(this.#files.inOrder);
    this.#blockage.check(this.#handover.isWaiting);
    return true;
  }

  #isDrained(): boolean {
    if (this.#handover.unfinished.length > 0 || this.#outcomes.isSettingAside) return false;
    return this.#files.inOrder.every((reader) => this.#drain.isReadUp(reader));
  }

  /** False where something has to be sent again. */
  async #finishDrain(): Promise<boolean> {
    await this.#alarm.orRing(this.context.producer.flush());
    for (const { acknowledgements } of this.#files.routes.values()) {
      while (!acknowledgements.isDone && !this.#isStopping) await this.#alarm.wait(waitMs);
    }
    if (this.#outcomes.mustRewind() || this.#isStopping) return false;
    await this.context.positions.save();
    return true;
  }

  #untilNextMs(): number {
    const now = this.#nowMs;
    const { retryAtMs, isSettingAside } = this.#outcomes;
    const lookMs = this.#looks.nextMs;
    if (retryAtMs > now) return retryAtMs - now;
    if (isSettingAside) return Math.max(1, lookMs - now);
    return Math.max(1, this.#visits.nextMs(Math.max(lookMs, retryAtMs)) - now);
  }
}

function listerOf({ system }: SourceContext, options: FileOptions): Lister {
  const [include, exclude] = [options.include, options.exclude].map((globs) =>
    globs.map((glob) => resolve(glob)),
  );
  return new Lister(system.disk, system.problems, include ?? [], exclude ?? []);
}
