import { gunzipSync, gzipSync } from 'node:zlib';
import { createSimSystem } from '../../system/sim/index.js';
import type { Delivered, FakeProducerOptions } from './fake-producer.js';
import { FileWorld } from './file-world.js';
import { difference } from './scenarios.js';

const path = '/log/a.log';
const newline = 0x0a;
const second = 1_000;
const minute = 60 * second;
/** A kill repeats what was acknowledged since the positions were last written, and in flight. */
const repeatedMs = 3_000;
/** By then a look has found a new file, or a change of one that rested. */
const seenAfterMs = 2_500;
const restsAfterMs = 4 * minute;

/** How a log is rotated; each life has one way. */
type Rotation =
  | 'numbered'
  | 'dated'
  | 'delaycompress'
  | 'copytruncate'
  | 'outside'
  | 'replace'
  | 'swap'
  | 'truncate';

const rotations: readonly Rotation[] = [
  'numbered',
  'dated',
  'delaycompress',
  'copytruncate',
  'outside',
  'replace',
  'swap',
  'truncate',
];

/** Those that may happen between two calls of the agent. */
const rotatesAtOnce: ReadonlySet<Rotation> = new Set(['numbered', 'dated', 'copytruncate']);

/** One log's life, drawn from a seed: what is done to it, and what the agent suffers. */
export class FileLife {
  readonly world: FileWorld;
  /** What was done, for whom it concerns. */
  readonly story: string[] = [];
  /** Every line that was written, in order. */
  readonly written: string[] = [];
  readonly #seed: number;
  readonly #rotation: Rotation;
  readonly #kills: boolean;
  #random: number;
  #isFull = false;
  #rotated = 0;
  readonly #killedAt: number[] = [];
  /** The agent has seen a file at the path. */
  #isKnown = false;
  /** Whether the globs ask for rotated names, too. */
  readonly #asksForRotated: boolean;
  /** When the file that is there now came, or came out of its rest, and when it was written to. */
  #bornMs = 0;
  #wroteMs = 0;
  /** Lines that may be missing, as nothing was left of them that could be read. */
  readonly #lost = new Set<string>();

  constructor(seed: number, kills: boolean) {
    this.#seed = seed;
    this.#random = (seed * 2_654_435_761) >>> 0;
    this.#kills = kills;
    this.#rotation = rotations[this.#below(rotations.length)] ?? 'numbered';
    this.#asksForRotated = this.#below(2) !== 0;
    const include = this.#asksForRotated ? ['/log/a.log*'] : ['/log/*.log', '/log/*.gz'];
    const producer: FakeProducerOptions = {
      refuses: (value) => value.startsWith('bad'),
      rejects: (value) => value.startsWith('huge'),
      isClosed: () => this.#isFull,
      capacity: this.#below(2) === 0 ? 1_000 : 60,
    };
    this.world = new FileWorld(createSimSystem({ seed }), { include }, producer);
    // Fewer descriptors than files: those at rest are found again by their names.
    this.world.maxOpenFiles = this.#below(3) === 0 ? 1 : Number.POSITIVE_INFINITY;
  }

  /** Lives it, and checks what came of it. Throws with the seed and the story. */
  async run(): Promise<void> {
    try {
      await this.world.sim.run(this.#live(), { limitMs: 50 * 60 * minute });
      this.#check();
    } catch (error) {
      const what = `seed ${this.#seed}, ${this.#rotation}${this.#kills ? ', with kills' : ''}`;
      throw new Error(`${what}: ${String(error)}\n${this.story.join('\n')}`, { cause: error });
    }
  }

  async #live(): Promise<void> {
    const { world } = this;
    await world.start();
    const steps = 6 + this.#below(14);
    for (let i = 0; i < steps; i++) await this.#step();
    this.#isFull = false;
    await this.#pause(30 * second);
    await world.source?.drain();
    const unsent = world.source?.unsent() ?? [];
    if (unsent.length > 0) throw new Error(`drained, but: ${unsent.join('; ')}`);
    await world.source?.stop();
  }

  async #step(): Promise<void> {
    switch (this.#below(this.#kills ? 10 : 8)) {
      case 0:
      case 1:
      case 2:
        return this.#write(1 + this.#below(80));
      case 3:
        return this.#pause(this.#below(3 * second));
      case 4:
        return this.#pause(6 * minute + this.#below(20 * minute));
      case 5:
        return this.#rotate();
      case 6:
        this.#isFull = !this.#isFull;
        this.#tell(this.#isFull ? 'memory is full' : 'memory is free');
        return;
      case 7:
        return this.#setClock();
      default:
        return this.#die();
    }
  }

  async #write(count: number): Promise<void> {
    this.#tell(`writes ${count} lines from ${this.written.length}`);
    for (let left = count; left > 0; ) {
      const together = Math.min(left, 1 + this.#below(40));
      const text = this.#lines(together);
      const cut = this.#below(3) === 0 ? this.#below(text.length) : text.length;
      this.#append(text.slice(0, cut));
      if (cut < text.length) {
        await this.#pause(this.#below(3 * second));
        this.#append(text.slice(cut));
      }
      left -= together;
      if (this.#below(3) === 0) await this.#pause(this.#below(200));
    }
  }

  #append(text: string): void {
    const { sim, writer } = this.world;
    // The agent stores a file once something is in it.
    if (!writer.disk.statSync(path)?.size) this.#bornMs = sim.now;
    // A file at rest is a new one again, until a look has found it changed.
    if (sim.now - this.#wroteMs > restsAfterMs) this.#bornMs = sim.now;
    this.#wroteMs = sim.now;
    writer.append(path, text);
  }

  #lines(count: number): string {
    let text = '';
    for (let i = 0; i < count; i++) {
      const line = this.#line();
      this.written.push(line);
      text += `${line}\n`;
    }
    return text;
  }

  #line(): string {
    const kind = this.#below(60);
    const what = kind === 0 ? 'bad' : kind === 1 ? 'huge' : 'line';
    return `${what} ${this.written.length} ${'x'.repeat(this.#below(60))}`;
  }

  async #rotate(): Promise<void> {
    const { disk } = this.world.writer;
    if (!disk.statSync(path)?.size) return;
    // Files of one age could not be told apart.
    await this.#pause(5);
    // What was never seen under its first name has no key, and no trace under some others.
    if (!this.#isKnown) await this.#pause(seenAfterMs);
    this.#isKnown = true;
    // Nor has a later one that no look has found before it got a name that no glob asks for.
    if (!this.#asksForRotated && !this.#isSeen) await this.#pause(seenAfterMs);
    this.#rotated++;
    if (this.#below(3) === 0) await this.#untilRead();
    this.#tell(`rotates ${this.#rotation}, ${this.#rotated}`);
    switch (this.#rotation) {
      case 'numbered':
        return this.#shift(false);
      case 'delaycompress':
        return this.#shift(true);
      case 'dated':
        this.#renameDated();
        break;
      case 'copytruncate':
        return this.#copyAndTruncate();
      case 'outside':
        // To a name that no glob asks for.
        if (!this.#isSeen) await this.#pause(seenAfterMs);
        disk.renameSync(path, `/log/away-${this.#rotated}`);
        break;
      case 'replace':
        this.#mayLose(disk.readFileSync(path), !this.#isSeen);
        disk.removeSync(path);
        break;
      case 'swap': {
        const old = disk.readFileSync(path);
        this.world.writer.write('/log/.next', Buffer.from(this.#lines(1 + this.#below(20))));
        this.#mayLose(old, !this.#isSeen);
        disk.renameSync('/log/.next', path);
        this.#bornMs = this.#wroteMs = this.world.sim.now;
        return;
      }
      case 'truncate':
        this.#mayLose(disk.readFileSync(path), true);
        this.world.writer.truncate(path);
    }
    if (this.#below(2) === 0) await this.#pause(this.#below(3 * second));
    if (this.#below(2) === 0) this.#append('');
  }

  async #copyAndTruncate(): Promise<void> {
    const { disk } = this.world.writer;
    // The order of lines that come and are copied away between two looks leaves no trace.
    if (this.world.sim.now - this.#wroteMs < seenAfterMs) await this.#pause(seenAfterMs);
    const copied = disk.readFileSync(path).length;
    this.world.writer.copy(path, `${path}.${this.#rotated}`);
    await this.#pause(5);
    const meanwhile = this.#below(9);
    if (meanwhile < 3) await this.#write(1 + this.#below(5));
    // A large copy takes a while, and its log is written to meanwhile.
    else if (meanwhile < 5) await this.#writeOn(2 * copied);
    await this.#pause(this.#below(2) === 0 ? 5 : this.#below(20 * second));
    this.#mayLose(disk.readFileSync(path).subarray(copied), true);
    this.world.writer.truncate(path);
  }

  /** A copy of less than half would not be known (docs/guarantees.md). */
  async #writeOn(limit: number): Promise<void> {
    const { disk } = this.world.writer;
    const writes = 10 + this.#below(40);
    this.#tell(`writes up to ${writes} lines one by one`);
    for (let i = 0; i < writes; i++) {
      if ((disk.statSync(path)?.size ?? 0) > limit - 100) return;
      this.#append(this.#lines(1));
      await this.#pause(this.#below(300));
    }
  }

  /** A look has found the file as it is, so that it is open. */
  get #isSeen(): boolean {
    return this.world.sim.now - this.#bornMs > seenAfterMs;
  }

  /**
   * `bytes` of whole lines go, without a copy. What of them is delivered stays so; the rest leaves
   * no trace where nobody holds the file open (docs/formats/positions.md).
   */
  #mayLose(bytes: Buffer, isGone: boolean): void {
    if (!isGone && !this.#kills && this.world.maxOpenFiles > 1) return;
    const done = new Set([...this.world.topics.ofKey(path), ...this.#failed()]);
    for (const line of bytes.toString().split('\n')) if (!done.has(line)) this.#lost.add(line);
  }

  /** As logrotate does; with `delaycompress` the youngest of the old stays plain for a turn. */
  async #shift(compresses: boolean): Promise<void> {
    const { disk } = this.world.writer;
    if (compresses && disk.statSync(`${path}.1`)) await this.#gzip(`${path}.1`);
    this.#shiftOnce();
  }

  #renameDated(): void {
    const { disk } = this.world.writer;
    disk.renameSync(path, `${path}-${20_261_100 + this.#rotated}`);
  }

  #shiftOnce(): void {
    const { disk } = this.world.writer;
    for (let number = 4; number > 0; number--) {
      for (const end of ['', '.gz']) {
        const from = `${path}.${number}${end}`;
        if (!disk.statSync(from)) continue;
        if (number === 4) {
          const bytes = disk.readFileSync(from);
          this.#mayLose(end === '' ? bytes : gunzipSync(bytes), true);
          disk.removeSync(from);
        } else disk.renameSync(from, `${path}.${number + 1}${end}`);
      }
    }
    disk.renameSync(path, `${path}.1`);
  }

  async #gzip(file: string): Promise<void> {
    const { disk } = this.world.writer;
    const bytes = gzipSync(disk.readFileSync(file));
    const target = disk.openSync(`${file}.gz`, 'wx');
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + this.#below(bytes.length));
      target.writeSync([bytes.subarray(at, end)], at);
      at = end;
      if (this.#below(2) === 0) await this.#pause(this.#below(60 * second));
    }
    target.closeSync();
    if (this.#below(2) === 0) await this.#pause(this.#below(20 * second));
    disk.removeSync(file);
    this.#tell(`compressed ${file}`);
  }

  /** Files' times are all that tells the order of those that nobody has seen. */
  async #setClock(): Promise<void> {
    await this.#untilRead();
    const stepMs = (this.#below(2) === 0 ? -1 : 1) * 60 * minute;
    this.#tell(`the wall clock is set by ${stepMs} ms`);
    this.world.sim.stepWallClock(stepMs);
  }

  async #die(): Promise<void> {
    this.#tell('kill');
    this.#killedAt.push(this.world.sim.now);
    const wasSeen = this.#isSeen;
    this.world.kill();
    // What the agent has not stored leaves no trace under a name that it does not look for.
    const isFound = this.#rotation !== 'outside' || wasSeen;
    const mayRotate = this.#isKnown && isFound && this.#rotation !== 'copytruncate';
    if (mayRotate && this.#below(3) === 0) await this.#rotate();
    if (this.#below(2) === 0) await this.#write(1 + this.#below(20));
    await this.#pause(this.#below(5 * second));
    if (this.#below(2) === 0) await this.#rotateAmid();
    await this.world.start();
  }

  /** The log is rotated between two of the next calls that the agent makes, perhaps twice. */
  async #rotateAmid(): Promise<void> {
    if (!rotatesAtOnce.has(this.#rotation)) return;
    // Files of one age could not be told apart.
    await this.#pause(5);
    let left = this.#below(60);
    let again = this.#rotation === 'dated' ? 0 : this.#below(2);
    this.world.beforeCall = () => {
      if (left-- > 0) return;
      left = this.#below(20);
      if (again-- === 0) this.world.beforeCall = undefined;
      this.#rotateAtOnce();
    };
  }

  #rotateAtOnce(): void {
    const { writer } = this.world;
    if (!writer.disk.statSync(path)?.size || !this.#isKnown) return;
    // The application is in the midst of a line.
    if (writer.disk.readFileSync(path).at(-1) !== newline) return;
    if (!this.#asksForRotated && !this.#isSeen) return;
    this.#rotated++;
    this.#tell(`rotates ${this.#rotation}, ${this.#rotated}, between two calls`);
    if (this.#rotation === 'copytruncate') {
      writer.copy(path, `${path}.${this.#rotated}`);
      writer.truncate(path);
    } else if (this.#rotation === 'dated') this.#renameDated();
    else this.#shiftOnce();
    if (this.#below(3) > 0) this.#append(this.#lines(1 + this.#below(40)));
  }

  async #untilRead(): Promise<void> {
    this.#isFull = false;
    await this.#pause(6 * second);
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 10 * second) this.#tell(`${Math.round(ms / second)} s pass`);
    await this.world.sim.process('writer').clock.sleep(ms);
  }

  #check(): void {
    const { topics } = this.world;
    const other = topics.keys.filter((key) => key !== path);
    if (other.length > 0) throw new Error(`records with the key ${other.join()}`);
    const isPartial = (one: Delivered) => 'logflume.partial' in one.headers;
    // All of a line but its end may have come before the file was cut.
    const isBegun = (value: string) => this.#isCut(value) || this.#lost.has(value);
    const partials = topics.records.filter((one) => isPartial(one) && !isBegun(one.value));
    if (partials.length > 0) throw new Error(`cut lines: ${partials[0]?.value}`);
    const sent = topics.ofKey(path).filter((line) => !this.#isCut(line));
    const kept = this.#failed().filter((line) => !this.#isCut(line));
    const there = new Set([...sent, ...kept]);
    const expected = this.written.filter((line) => there.has(line) || !this.#lost.has(line));
    const good = expected.filter((line) => line.startsWith('line'));
    const bad = expected.filter((line) => !line.startsWith('line'));
    if (!this.#kills) {
      compare(sent, good);
      compare(kept.sort(), bad.sort());
      return;
    }
    compare([...new Set(sent)], good);
    compare([...new Set(kept)].sort(), bad.sort());
    this.#checkRepeats();
  }

  /** The first part of a line whose second came and went between two looks. */
  #isCut(value: string): boolean {
    for (const line of this.#lost) if (line !== value && line.startsWith(value)) return true;
    return false;
  }

  /** What was delivered long before a kill is not sent again after it. */
  #checkRepeats(): void {
    const first = new Map<string, number>();
    for (const { value, atMs } of this.world.topics.records) {
      const beforeMs = first.get(value);
      if (beforeMs === undefined) first.set(value, atMs);
      else if (!this.#killedAt.some((at) => beforeMs > at - repeatedMs && beforeMs <= at)) {
        throw new Error(`${value} was delivered at ${beforeMs}, and again at ${atMs}`);
      }
    }
  }

  #failed(): string[] {
    const { disk } = this.world.writer;
    if (!disk.statSync('/data/failed')) return [];
    return disk.listSync('/data/failed').map((name) => {
      const bytes = disk.readFileSync(`/data/failed/${name}`);
      return bytes.toString('latin1', bytes.indexOf('\n') + 1);
    });
  }

  #tell(what: string): void {
    this.story.push(`${Math.round(this.world.sim.now)} ms: ${what}`);
  }

  #below(limit: number): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#random / 2 ** 32) * limit);
  }
}

function compare(actual: readonly string[], expected: readonly string[]): void {
  const [one, other] = [actual.join('\n'), expected.join('\n')];
  if (one !== other) throw new Error(difference(one, other));
}
