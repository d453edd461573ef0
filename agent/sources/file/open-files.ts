import { basename } from 'node:path';
import { type FileStat, pathToBytes } from '../../../system/index.js';
import type { BatchFailure } from '../../producer.js';
import type { SourceContext } from '../source.js';
import { Acknowledgements, type Run } from './acknowledgements.js';
import { ContentError } from './content.js';
import { Descriptors, VanishedError } from './descriptors.js';
import { examine } from './examine.js';
import { FileReader, ReadBuffer } from './file-reader.js';
import {
  type Generation,
  type StoredFileSource,
  type StoredGeneration,
  storeGeneration,
} from './generation.js';
import { step } from './identity.js';
import type { IdentityEffect, IdentityEvent, Sighting } from './identity-events.js';
import { type IdentityState, inodeKey } from './identity-state.js';
import type { Route } from './line-sender.js';
import type { Lister } from './lister.js';
import type { FileOptions } from './options.js';
import { SteadyTime } from './steady-time.js';
import { Troubles } from './troubles.js';

/** A look lists until nothing changes any more, but not for ever where names come and go. */
const mostListings = 8;

/** What the source wants to hear of its files. */
export interface FileEvents {
  /** A generation has no file any more, and this unfinished line of it will never be finished. */
  onUnfinished(generation: Generation, rest: Buffer): void;
  onAcknowledged(records: number): void;
  /** Records were given up; see AcknowledgementEvents. */
  onRefused(
    generation: Generation,
    failures: readonly BatchFailure[],
    run: Run,
  ): Promise<void> | undefined;
  /** The generation has to be read again from its acknowledged place. */
  onFailure(generation: Generation, error: Error, records: number): void;
}

/** The files that are open: carries out what `step` decides, and tells it what came of it. */
export class OpenFiles {
  /** By generation. */
  readonly readers = new Map<number, FileReader>();
  readonly routes = new Map<number, Route>();
  #ordered: readonly FileReader[] | undefined;
  #byOrigin: ReadonlyMap<string, readonly FileReader[]> | undefined;
  #byPath: ReadonlyMap<string, FileReader> | undefined;
  #looksAgain = false;
  #isLooking = false;
  /** Unfinished lines of files that were cut, until it is known whether a copy exists. */
  readonly #rests = new Map<number, Buffer>();
  /** Generations whose file vanished, with bytes unread, while it had no descriptor. */
  readonly #unreadOfVanished: number[] = [];
  /** Generations of which something failed that cannot be read again. */
  readonly #failedWithoutFile = new Set<number>();
  readonly #buffer = new ReadBuffer();
  readonly #descriptors: Descriptors;
  readonly #time: SteadyTime;
  /** When the last look began (monotonic). */
  #lookedAtMs: number | undefined;
  readonly troubles: Troubles;

  constructor(
    private readonly context: SourceContext,
    private readonly options: FileOptions,
    readonly state: IdentityState,
    private readonly lister: Lister,
    private readonly events: FileEvents,
  ) {
    const { system } = context;
    this.troubles = new Troubles(system.problems);
    this.#time = new SteadyTime(system.clock);
    this.#descriptors = new Descriptors(system.disk, context.maxOpenFiles);
    for (const generation of state.generations.values()) this.#route(generation);
  }

  /** Older generations first. */
  get inOrder(): readonly FileReader[] {
    this.#ordered ??= [...this.readers.values()].sort(byOrder);
    return this.#ordered;
  }

  /** The reader of the file that had this name at the last look. */
  at(path: string): FileReader | undefined {
    this.#byPath ??= new Map(this.inOrder.map((reader) => [reader.generation.path, reader]));
    return this.#byPath.get(path);
  }

  /** The readers of older generations of the same origin. */
  eldersOf({ generation }: FileReader): readonly FileReader[] {
    this.#byOrigin ??= groupByOrigin(this.inOrder);
    const family = this.#byOrigin.get(generation.origin) ?? [];
    if (family.length < 2) return [];
    return family.filter((one) => one.generation.order < generation.order);
  }

  /** Looks at the directories, and opens and examines what is new. */
  async look(): Promise<void> {
    this.#isLooking = true;
    const nowMs = this.context.system.clock.monotonic();
    let sinceLastMs = this.#lookedAtMs === undefined ? null : nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    try {
      let previous: readonly Sighting[] | undefined;
      for (let listings = 1; ; listings++) {
        this.#looksAgain = false;
        const besides = this.#isAnyLost();
        const { nextId } = this.state;
        const sightings = await this.#list(besides, sinceLastMs);
        sinceLastMs = null;
        const isWanting = this.#looksAgain || (!besides && this.#isAnyLost());
        // Files may have been renamed, copied and cut since they were listed, or meanwhile.
        const isComplete = nextId === this.state.nextId && !this.#isAnyLost();
        const isStable = isComplete || isSame(previous, sightings) || listings >= mostListings;
        if (isStable && !isWanting) break;
        previous = sightings;
        this.#forgetOrder();
      }
      await this.tell({ type: 'settled' });
    } finally {
      this.#isLooking = false;
    }
    for (const [id, rest] of this.#rests) {
      this.#rests.delete(id);
      const generation = this.state.generations.get(id);
      if (generation?.state === 'gone') this.events.onUnfinished(generation, rest);
    }
    for (const id of this.#unreadOfVanished.splice(0)) {
      const generation = this.state.generations.get(id);
      if (generation?.state === 'gone') this.#sayLoss(generation);
    }
  }

  /** One listing of the directories; what is new is opened and examined. */
  async #list(besides: boolean, sinceLastMs: number | null): Promise<readonly Sighting[]> {
    const startedMs = this.context.system.clock.now();
    const sightings = this.lister.look(besides);
    this.troubles.keepOnly(new Set(sightings.map(({ path }) => path)));
    const { hidden } = this.lister;
    this.#byPath = undefined;
    await this.tell({ type: 'listed', startedMs, sinceLastMs, sightings, hidden });
    await this.#pollUndecided();
    return sightings;
  }

  /** Passes on what was seen, and does what follows from it. */
  async tell(event: IdentityEvent): Promise<void> {
    for (const effect of step(this.state, event, this.#time.nowMs)) {
      await this.#perform(effect);
    }
    if (this.#looksAgain && !this.#isLooking) await this.look();
  }

  /** Asks an open file for its size. */
  async poll(reader: FileReader, nowMs: number): Promise<void> {
    const { generation } = reader;
    const stat = statOf(reader);
    if (stat === undefined) return this.tell({ type: 'vanished', id: generation.id });
    const { size, modifiedMs, links } = stat;
    if (size !== generation.size || modifiedMs !== generation.modifiedMs) reader.noteChange(nowMs);
    const isAcknowledged = this.routes.get(generation.id)?.acknowledgements.isDone ?? true;
    const drained = !reader.isUnread && isAcknowledged;
    const { id } = generation;
    const ageMs = this.#time.ageMs(modifiedMs);
    const unlinked = links === 0;
    await this.tell({ type: 'polled', id, size, modifiedMs, ageMs, unlinked, drained });
  }

  /** What was sent behind the acknowledged place failed: it is read again. */
  async rewind({ id, path }: Generation): Promise<void> {
    const route = this.routes.get(id);
    if (!route) return;
    await this.tell({ type: 'rewound', id, place: route.acknowledgements.acknowledged });
    const reader = this.readers.get(id);
    if (reader) reader.restart();
    else {
      this.#failedWithoutFile.add(id);
      this.context.log.error(`${path} is gone; its lines cannot be sent again`);
    }
  }

  /** A sentence for each file of which lines failed when it was gone, and is gone yet. */
  lost(): string[] {
    return [...this.#failedWithoutFile].flatMap((id) => {
      const generation = this.state.generations.get(id);
      if (!generation || generation.state === 'reading') return [];
      return [`lines of ${generation.path}, which is gone, could not be sent and are lost`];
    });
  }

  /** Bytes of the open files that are not acknowledged. */
  lagBytes(): number {
    let bytes = 0;
    for (const { generation } of this.readers.values()) {
      if (generation.compressed) continue;
      const done = this.routes.get(generation.id)?.acknowledgements.acknowledged.position ?? 0;
      bytes += Math.max(0, generation.size - done);
    }
    return bytes;
  }

  /** What the positions remember. */
  store(): StoredFileSource {
    const generations: StoredGeneration[] = [];
    for (const generation of this.state.generations.values()) {
      const route = this.routes.get(generation.id);
      if (!route || generation.fingerprint.bytes === 0) continue;
      generations.push(storeGeneration(generation, route.acknowledgements.acknowledged));
    }
    return { type: 'file', looked_ms: this.#lookedMs(), generations };
  }

  closeAll(): void {
    for (const reader of this.readers.values()) reader.file.closeSync();
    this.readers.clear();
    this.#forgetOrder();
  }

  /** What was held may be a copy that can be taken now. */
  async #pollUndecided(): Promise<void> {
    for (const reader of this.inOrder) {
      const { id, state } = reader.generation;
      if (state !== 'undecided' || this.readers.get(id) !== reader) continue;
      try {
        await this.poll(reader, this.context.system.clock.monotonic());
      } catch (error) {
        this.fail(reader, error);
      }
    }
  }

  #forgetOrder(): void {
    this.#byPath = undefined;
    this.#ordered = undefined;
    this.#byOrigin = undefined;
  }

  /** What is not decided yet counts as not seen: another start has to find it again. */
  #lookedMs(): number | null {
    let lookedMs = this.state.lookedMs;
    for (const { state, missed, modifiedMs } of this.state.generations.values()) {
      if (state === 'undecided' && missed) lookedMs = Math.min(lookedMs ?? 0, modifiedMs);
    }
    return lookedMs;
  }

  #isAnyLost(): boolean {
    for (const one of this.state.generations.values()) if (one.state === 'lost') return true;
    return false;
  }

  async #perform(effect: IdentityEffect): Promise<void> {
    if (effect.type === 'list') {
      this.#looksAgain = true;
      return;
    }
    if (effect.type === 'move') return this.#move(effect.from, effect.to);
    if (effect.type === 'close') return this.#close(effect.id);
    if (effect.type === 'forget') {
      this.routes.delete(effect.id);
      this.context.positions.changed();
      return;
    }
    const generation = this.state.generations.get(effect.id);
    if (!generation) return;
    if (effect.type === 'open') await this.#open(generation);
    else if (effect.type === 'examine') await this.#examine(generation);
    else if (effect.type === 'begin') await this.#begin(generation, effect.atEnd);
    else this.routes.get(effect.id)?.acknowledgements.rebase(effect.place);
  }

  async #open(generation: Generation): Promise<void> {
    const { path, id } = generation;
    const { system } = this.context;
    try {
      const reader = this.#reader(generation);
      if (!reader) return await this.tell({ type: 'unopened', id });
      this.readers.set(id, reader);
      this.#forgetOrder();
      await this.poll(reader, system.clock.monotonic());
      if (reader.failure === undefined) this.troubles.clear(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.troubles.clear(path);
      else this.troubles.raise(path, 'cannot open', error);
      this.#close(id);
      await this.tell({ type: 'unopened', id });
    }
  }

  /** undefined where another file is at its path. */
  #reader(generation: Generation): FileReader | undefined {
    const { path } = generation;
    let reader: FileReader | undefined;
    const file = this.#descriptors.open(path, () => reader?.generation.path ?? path);
    if (inodeKey(file.statSync()) === inodeKey(generation)) {
      reader = new FileReader(file, generation, this.#buffer, this.options.max_line_bytes);
      return reader;
    }
    file.closeSync();
    return undefined;
  }

  async #examine(found: Generation): Promise<void> {
    const reader = this.readers.get(found.id);
    if (!reader || (reader.failure?.isDamaged && reader.isAtEnd)) return;
    const stamp = this.#stampOf(found);
    let findings = reader.findings(stamp);
    try {
      findings ??= await examine(
        found,
        reader.content,
        this.state.generations.values(),
        (one, length) => this.#firstBytes(one, length),
      );
    } catch (error) {
      return this.fail(reader, error);
    }
    reader.keepFindings(stamp, findings);
    this.readAgain(reader);
    await this.tell({ type: 'examined', id: found.id, ...findings });
  }

  /** Of a generation that has a file, which is opened for that where it rests. */
  async #firstBytes(generation: Generation, length: number): Promise<Buffer | undefined> {
    if (generation.state !== 'reading') return undefined;
    const known = this.readers.get(generation.id);
    let reader = known;
    try {
      reader ??= this.#reader(generation);
      return await reader?.firstBytes(length);
    } catch {
      // Its own reads tell why; what cannot be read proves nothing.
      return undefined;
    } finally {
      if (reader !== known) reader?.file.closeSync();
    }
  }

  /** Changes with the file, and with what it is compared with. */
  #stampOf({ size, modifiedMs }: Generation): string {
    let sum = 0;
    for (const { id, place, fingerprint, passed } of this.state.generations.values()) {
      sum += id + place.position + fingerprint.bytes + passed.length;
    }
    return `${size} ${modifiedMs} ${this.state.generations.size} ${sum}`;
  }

  /** The file cannot be read now; it stays as it is, and is tried again. */
  fail(reader: FileReader, error: unknown): void {
    // It was closed meanwhile, as it is no generation's file any more.
    if (this.readers.get(reader.generation.id) !== reader) return;
    const isDamaged = error instanceof ContentError;
    reader.fail(this.context.system.clock.monotonic(), isDamaged);
    this.troubles.raise(reader.generation.path, 'cannot read', error);
    // A descriptor can go stale.
    if (!isDamaged) this.#reopen(reader);
  }

  /** It was read without an error. */
  readAgain(reader: FileReader): void {
    if (reader.recover()) this.troubles.clear(reader.generation.path);
  }

  #reopen(reader: FileReader): void {
    const { generation } = reader;
    try {
      const file = this.#descriptors.open(generation.path, () => reader.generation.path);
      if (inodeKey(file.statSync()) === inodeKey(generation)) reader.reopen(file);
      else file.closeSync();
    } catch {
      // The one that is open may yet be read.
    }
  }

  async #begin(generation: Generation, atEnd: boolean): Promise<void> {
    const reader = this.readers.get(generation.id);
    if (!reader) return;
    const start = atEnd ? await reader.findEnd() : await reader.findStart();
    await this.tell({ type: 'advanced', id: generation.id, ...start });
    reader.restart();
    this.#forgetOrder();
    this.#route(generation);
    this.context.positions.changed();
  }

  #route(generation: Generation): void {
    const { producer, host } = this.context;
    const { origin } = generation;
    const parts: Readonly<Record<string, string>> = { host, path: origin, name: basename(origin) };
    const key = pathToBytes(
      this.options.key.replace(/\{(host|path|name)\}/g, (_, part: string) => parts[part] ?? ''),
    );
    const acknowledgements = new Acknowledgements(generation.place, {
      onAdvance: (records) => this.events.onAcknowledged(records),
      onFailure: (error, records) => this.events.onFailure(generation, error, records),
      onRefused: (failures, run) => this.events.onRefused(generation, failures, run),
    });
    const target = producer.target(this.options.topic, key);
    this.routes.set(generation.id, { target, key, acknowledgements });
  }

  #move(from: number, to: number): void {
    const reader = this.readers.get(from);
    const generation = this.state.generations.get(to);
    if (!reader || !generation) return;
    if (reader.rest.length > 0) this.#rests.set(from, reader.rest);
    this.readers.delete(from);
    this.readers.set(to, reader);
    this.#forgetOrder();
    reader.moveTo(generation);
  }

  #noteLoss(reader: FileReader): void {
    const { generation, rest } = reader;
    if (rest.length > 0) this.#rests.set(generation.id, rest);
    if (!reader.isAtEnd) this.#unreadOfVanished.push(generation.id);
  }

  #sayLoss({ path }: Generation): void {
    const why = 'it was deleted, or moved out of sight, while it had no descriptor';
    const text = `${path} is gone, and was not read to its end: ${why}`;
    this.context.log.error(`${text}; raise the limit of open files (ulimit -n)`);
  }

  #close(id: number): void {
    const reader = this.readers.get(id);
    reader?.file.closeSync();
    if (reader?.generation.state === 'lost') this.#noteLoss(reader);
    this.readers.delete(id);
    this.#forgetOrder();
  }
}

/** undefined where it has no descriptor, and another file, or none, is at its path. */
function statOf({ file }: FileReader): FileStat | undefined {
  try {
    return file.statSync();
  } catch (error) {
    if (error instanceof VanishedError) return undefined;
    throw error;
  }
}

/** Whether two listings, one after the other, found the same files under the same names. */
function isSame(
  previous: readonly Sighting[] | undefined,
  sightings: readonly Sighting[],
): boolean {
  if (previous?.length !== sightings.length) return false;
  const inodes = new Map(previous.map((seen) => [seen.path, inodeKey(seen)]));
  return sightings.every((seen) => inodes.get(seen.path) === inodeKey(seen));
}

function byOrder(a: FileReader, b: FileReader): number {
  return a.generation.order - b.generation.order;
}

function groupByOrigin(readers: readonly FileReader[]): Map<string, FileReader[]> {
  const groups = new Map<string, FileReader[]>();
  for (const reader of readers) {
    const { origin } = reader.generation;
    const group = groups.get(origin);
    if (group) group.push(reader);
    else groups.set(origin, [reader]);
  }
  return groups;
}
