import { Problems } from '../problems.js';
import type { System } from '../system.js';
import { createSimDisk } from './disk.js';
import { SimVolume } from './disk-paths.js';
import { SimWeb } from './http.js';
import { Life } from './life.js';
import { createSimLog, type LogLine } from './log.js';
import { SimMetrics } from './metrics.js';
import { SimNetwork } from './net.js';
import { ProcessTable, SimProcesses } from './processes.js';
import { SeededRandom } from './random.js';
import { Scheduler } from './scheduler.js';
import { WallClock } from './wall-clock.js';
import { createSimWatch } from './watch.js';

const defaultHost = '127.0.0.1';
const defaultLimitMs = 3_600_000;
const defaultRealPatienceMs = 10_000;

/** A simulated process: a `System`, and the strings it hangs on. */
export interface SimProcess extends System {
  readonly name: string;
  readonly alive: boolean;
  /** Effects (calls that change disk, net or web) it has had. */
  readonly steps: number;
  readonly logLines: readonly LogLine[];
  readonly metrics: SimMetrics;
  readonly processes: SimProcesses;
  /** Resolves once the process is dead. */
  readonly ended: Promise<void>;
  /**
   * Kills it instead of its `step`-th effect, counted from its start from 1: that call throws
   * SimCrash. `torn`: a write is done half before.
   */
  crashAt(step: number, options?: { readonly torn?: boolean }): void;
  /**
   * kill -9: what was written stays, its connections close, none of its callbacks run any more;
   * its later calls throw SimCrash where they are synchronous, and never resolve where not.
   */
  kill(): void;
}

interface Machine {
  readonly volume: SimVolume;
  readonly wall: WallClock;
  /** By container. */
  readonly tables: Map<string, ProcessTable>;
}

/**
 * A world with virtual time. The same seed replays exactly: latencies, the order of asynchronous
 * calls, how bytes are cut in transit and what a power cut leaves are all drawn from it.
 */
export class Simulation {
  readonly seed: number;
  readonly network: SimNetwork;
  readonly web: SimWeb;
  readonly #scheduler = new Scheduler();
  readonly #machines = new Map<string, Machine>();
  readonly #processes = new Map<string, SimProcess>();
  #starts = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.network = new SimNetwork(this.#scheduler, new SeededRandom(seed, 'network'));
    this.web = new SimWeb(this.#scheduler, new SeededRandom(seed, 'web'));
  }

  /** Virtual milliseconds since the start. */
  get now(): number {
    return this.#scheduler.now;
  }

  /**
   * The process with this name; started where there is none, or where the last one is dead.
   * Processes of one `host` (an address, default 127.0.0.1) share its disk; those of one
   * `container` on it see each other's process ids, which begin anew in each.
   */
  process(
    name: string,
    options: { readonly host?: string; readonly container?: string } = {},
  ): SimProcess {
    const running = this.#processes.get(name);
    if (running?.alive) return running;
    const started = this.#start(name, options.host ?? defaultHost, options.container ?? '');
    this.#processes.set(name, started);
    return started;
  }

  /** The disk of a machine: faults, capacity, symbolic links. */
  volume(host: string = defaultHost): SimVolume {
    return this.#machine(host).volume;
  }

  /**
   * Runs until `work` settles; throws on a deadlock or after `limitMs` of virtual time. Real work
   * (an import, a compression thread) may keep an idle simulation waiting for `realPatienceMs`.
   */
  async run<T>(
    work: Promise<T> | (() => Promise<T>),
    options: { readonly limitMs?: number; readonly realPatienceMs?: number } = {},
  ): Promise<T> {
    const promise = typeof work === 'function' ? work() : work;
    const { limitMs = defaultLimitMs, realPatienceMs = defaultRealPatienceMs } = options;
    return this.#scheduler.run(promise, limitMs, realPatienceMs);
  }

  /** Lets `durationMs` of virtual time pass. */
  advance(durationMs: number): Promise<void> {
    return this.#scheduler.advance(durationMs);
  }

  /**
   * The wall clock of the machine jumps by this much, forth or back, that of all machines where
   * no `host` is given; timers do not notice.
   */
  stepWallClock(byMs: number, host?: string): void {
    if (host === undefined) this.#scheduler.stepWallClock(byMs);
    else this.#machine(host).wall.step(byMs);
  }

  /** Runs until nothing is scheduled, at most `limitMs` of virtual time (default one minute). */
  runUntilIdle(limitMs = 60_000): Promise<void> {
    return this.#scheduler.settle(limitMs);
  }

  /**
   * The machine loses power: its processes are gone, their peers hear nothing more, and of what
   * was not synced some is lost, torn anywhere.
   */
  powerLoss(host: string = defaultHost): void {
    for (const process of this.#processes.values()) {
      if (process.processes.hostname() !== host || !process.alive) continue;
      this.network.silence(process.name);
      process.kill();
    }
    this.#machine(host).volume.losePower();
  }

  #machine(host: string): Machine {
    let machine = this.#machines.get(host);
    if (machine === undefined) {
      const random = new SeededRandom(this.seed, `volume ${host}`);
      const wall = new WallClock(this.#scheduler);
      machine = { volume: new SimVolume(random), wall, tables: new Map() };
      this.#machines.set(host, machine);
    }
    return machine;
  }

  #start(name: string, host: string, container: string): SimProcess {
    const { volume, wall, tables } = this.#machine(host);
    const table = tables.get(container) ?? new ProcessTable();
    tables.set(container, table);
    const life = new Life(name);
    const stream = `${name} ${this.#starts++}`;
    const chance = new SeededRandom(this.seed, `calls of ${stream}`);
    const logLines: LogLine[] = [];
    const clock = this.#scheduler.clockOf(life, wall);
    const log = createSimLog(logLines);
    const metrics = new SimMetrics();
    return {
      name,
      get alive() {
        return life.alive;
      },
      get steps() {
        return life.steps;
      },
      ended: life.ended,
      crashAt: (step, options) => life.crashAt(step, options?.torn === true),
      kill: () => life.end(),
      clock,
      random: new SeededRandom(this.seed, `random of ${stream}`),
      disk: createSimDisk(volume, life, this.#scheduler, chance, wall),
      net: this.network.netOf(life, host),
      http: this.web.httpOf(life),
      watch: createSimWatch(volume, life, this.#scheduler, chance),
      log,
      logLines,
      metrics,
      problems: new Problems(clock, log, metrics),
      processes: new SimProcesses(table, life, host, container),
    };
  }
}
