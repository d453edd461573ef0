import { gzipSync } from 'node:zlib';
import { createSimSystem } from '../../system/sim/index.js';
import type { FakeProducerOptions } from './fake-producer.js';
import { FileWorld } from './file-world.js';
import { difference } from './scenarios.js';

const path = '/log/a.log';
const second = 1_000;
const minute = 60 * second;
/** A kill repeats what was acknowledged since the positions were last written, and in flight. */
const repeatedMs = 3_000;

/** How a log is rotated; each life has one way. */
type Rotation = 'numbered' | 'dated' | 'delaycompress' | 'copytruncate' | 'outside' | 'replace';

const rotations: readonly Rotation[] = [
  'numbered',
  'dated',
  'delaycompress',
  'copytruncate',
  'outside',
  'replace',
];

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

  constructor(seed: number, kills: boolean) {
    this.#seed = seed;
    this.#random = (seed * 2_654_435_761) >>> 0;
    this.#kills = kills;
    this.#rotation = rotations[this.#below(rotations.length)] ?? 'numbered';
    const include = this.#below(2) === 0 ? ['/log/*.log', '/log/*.gz'] : ['/log/a.log*'];
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
    switch (this.#below(this.#kills ? 8 : 7)) {
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
      default:
        return this.#die();
    }
  }

  async #write(count: number): Promise<void> {
    this.#tell(`writes ${count} lines from ${this.written.length}`);
    for (let left = count; left > 0; ) {
      const together = Math.min(left, 1 + this.#below(40));
      let text = '';
      for (let i = 0; i < together; i++) {
        const line = this.#line();
        this.written.push(line);
        text += `${line}\n`;
      }
      const cut = this.#below(3) === 0 ? this.#below(text.length) : text.length;
      this.world.writer.append(path, text.slice(0, cut));
      if (cut < text.length) {
        await this.#pause(this.#below(3 * second));
        this.world.writer.append(path, text.slice(cut));
      }
      left -= together;
      if (this.#below(3) === 0) await this.#pause(this.#below(200));
    }
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
    // Whoever never saw it under its first name cannot know its key, nor what a kill forgot.
    if (this.#kills) await this.#untilRead();
    this.#rotated++;
    this.#tell(`rotates ${this.#rotation}, ${this.#rotated}`);
    switch (this.#rotation) {
      case 'numbered':
        return this.#shift(false);
      case 'delaycompress':
        return this.#shift(true);
      case 'dated':
        disk.renameSync(path, `${path}-${20_261_100 + this.#rotated}`);
        break;
      case 'copytruncate':
        // An order that leaves no trace cannot be kept: the agent must have seen the lines.
        await this.#untilRead();
        this.world.writer.copy(path, `${path}.${this.#rotated}`);
        await this.#pause(this.#below(2) === 0 ? 0 : this.#below(20 * second));
        this.world.writer.truncate(path);
        return;
      case 'outside':
        // To a name that no glob asks for; whoever has not seen it yet cannot know its key.
        await this.#untilSeen();
        disk.renameSync(path, `/log/away-${this.#rotated}`);
        await this.#pause(3 * second);
        break;
      case 'replace':
        await this.#untilRead();
        disk.removeSync(path);
        await this.#pause(3 * second);
    }
    if (this.#below(2) === 0) this.world.writer.append(path, '');
  }

  /** As logrotate does; with `delaycompress` the youngest of the old stays plain for a turn. */
  async #shift(compresses: boolean): Promise<void> {
    const { disk } = this.world.writer;
    if (compresses && disk.statSync(`${path}.1`)) await this.#gzip(`${path}.1`);
    for (let number = 4; number > 0; number--) {
      for (const end of ['', '.gz']) {
        const from = `${path}.${number}${end}`;
        if (!disk.statSync(from)) continue;
        if (number === 4) {
          // What is deleted before it was read is lost with every tailer.
          await this.#untilRead();
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
    await this.#untilRead();
    disk.removeSync(file);
    this.#tell(`compressed ${file}`);
  }

  async #die(): Promise<void> {
    this.#tell('kill');
    this.#killedAt.push(this.world.sim.now);
    this.world.kill();
    await this.#pause(this.#below(5 * second));
    await this.world.start();
  }

  /** The agent knows the file by now. */
  async #untilSeen(): Promise<void> {
    await this.#pause(2 * second);
  }

  async #untilRead(): Promise<void> {
    this.#isFull = false;
    await this.#pause(6 * second);
  }

  /** In steps: a stream of Node's takes a few real turns, which virtual time would jump over. */
  async #pause(ms: number): Promise<void> {
    if (ms > 10 * second) this.#tell(`${Math.round(ms / second)} s pass`);
    const { clock } = this.world.sim.process('writer');
    for (let left = ms, step = 50; left > 0; left -= step, step = Math.min(left, step * 1.1)) {
      await clock.sleep(Math.min(left, step));
    }
  }

  #check(): void {
    const { topics } = this.world;
    const other = topics.keys.filter((key) => key !== path);
    if (other.length > 0) throw new Error(`records with the key ${other.join()}`);
    const partials = topics.records.filter((one) => 'logflume.partial' in one.headers);
    if (partials.length > 0) throw new Error(`cut lines: ${partials[0]?.value}`);
    const good = this.written.filter((line) => line.startsWith('line'));
    const bad = this.written.filter((line) => !line.startsWith('line'));
    const sent = topics.ofKey(path);
    const kept = this.#failed();
    if (!this.#kills) {
      compare(sent, good);
      compare(kept.sort(), bad.sort());
      return;
    }
    compare([...new Set(sent)], good);
    compare([...new Set(kept)].sort(), bad.sort());
    this.#checkRepeats();
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
