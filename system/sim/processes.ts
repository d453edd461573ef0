import type { ChildProcess, Processes, StopSignal } from '../processes.js';
import type { Life } from './life.js';

/** The process table of one simulated machine: which process ids live, with their start number. */
export class ProcessTable {
  readonly #living = new Map<number, number>();
  #nextPid = 100;
  #starts = 0;

  add(life: Life): number {
    const pid = this.#nextPid++;
    this.#living.set(pid, ++this.#starts);
    life.onEnd(() => this.#living.delete(pid));
    return pid;
  }

  identity(pid: number): string | undefined {
    const start = this.#living.get(pid);
    return start === undefined ? undefined : `sim-boot:${start}`;
  }
}

/** Plays the children that a simulated process starts. */
export type ForkScript = (
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) => ChildProcess;

/** A simulated process's view of itself. */
export class SimProcesses implements Processes {
  readonly pid: number;
  readonly parent = undefined;
  readonly #table: ProcessTable;
  readonly #host: string;
  readonly #namespace: string;
  readonly #listeners = new Set<(signal: StopSignal) => void>();
  forkScript: ForkScript | undefined;

  constructor(table: ProcessTable, life: Life, host: string, namespace: string) {
    this.#table = table;
    this.#namespace = namespace;
    this.#host = host;
    this.pid = table.add(life);
  }

  fork(
    script: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): ChildProcess {
    if (this.forkScript === undefined) throw new Error(`no script plays the child ${script}`);
    return this.forkScript(script, args, env);
  }

  onSignal(callback: (signal: StopSignal) => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** Delivers a signal. */
  signal(signal: StopSignal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  identity(pid: number): string | undefined {
    return this.#table.identity(pid);
  }

  namespace(): string {
    return `pid:[${this.#namespace}]`;
  }

  fileLimit(): undefined {
    return undefined;
  }

  hostname(): string {
    return this.#host;
  }

  load(name: string): Promise<never> {
    return Promise.reject(new Error(`there is no module ${name} on a simulated machine`));
  }
}
