import type { DiskFault, DiskOperation, SimVolume } from './disk-paths.js';
import { Simulation } from './simulation.js';

/** One call that fails, and what follows from it. */
export interface PlannedFault {
  /** Which of the process's calls on the disk, counted from 1 once the work begins. */
  readonly call: number;
  /**
   * `EIO` and its like: that call alone. What is used up stays so for `lasts` calls: `ENOSPC`
   * refuses every write (a part of it may be done) and every new file, `INODES` every new file or
   * folder (with ENOSPC), `EMFILE` every call that needs another descriptor. A call that the fault
   * does not concern passes.
   */
  readonly kind: 'EIO' | 'EROFS' | 'ENOSPC' | 'INODES' | 'EMFILE';
  /** How many calls it lasts; default 1. */
  readonly lasts?: number;
}

/** Counts the calls that one process makes on a disk, and makes those fail that were planned. */
export class DiskFaults {
  /** Calls so far. */
  calls = 0;
  /** Calls that failed. */
  failed = 0;
  readonly #plan: readonly PlannedFault[];
  readonly #remove: () => void;

  /** Begins at once; `end` takes all faults away. */
  constructor(volume: SimVolume, process: string, plan: readonly PlannedFault[] = []) {
    this.#plan = plan;
    this.#remove = volume.inject((operation) => this.#rule(operation, process));
  }

  end(): void {
    this.#remove();
  }

  #rule(operation: DiskOperation, process: string): ReturnType<DiskFault> {
    if (operation.process !== process) return undefined;
    this.calls++;
    for (const { call, kind, lasts = 1 } of this.#plan) {
      if (this.calls < call || this.calls >= call + lasts || !concerns(kind, operation)) continue;
      this.failed++;
      return kind === 'INODES' ? 'ENOSPC' : kind;
    }
    return undefined;
  }
}

function concerns(kind: PlannedFault['kind'], operation: DiskOperation): boolean {
  const { call, creates, opens } = operation;
  switch (kind) {
    case 'EIO':
      return true;
    case 'EROFS':
      return call !== 'read' && call !== 'sync' && (call !== 'open' || creates === true);
    case 'ENOSPC':
      return call === 'write' || creates === true;
    case 'INODES':
      return creates === true;
    case 'EMFILE':
      return opens === true;
  }
}

/** A scenario whose calls on the disk are to fail. */
export interface FaultScenario {
  readonly seed: number;
  /** The name of the process whose calls fail. */
  readonly process: string;
  /** Does the work, which must bear every fault: a refusal is fine, a lie is not. */
  work(sim: Simulation): Promise<void>;
  /** The faults are over: throws where a promise is broken. `run` tells the runs apart. */
  check(sim: Simulation, run: number): Promise<void>;
}

/** Runs the scenario once, with these faults. A failure names them, and the seed. */
export async function runWithFaults(
  scenario: FaultScenario,
  plan: readonly PlannedFault[],
  run = 0,
): Promise<DiskFaults> {
  const sim = new Simulation(scenario.seed);
  const faults = new DiskFaults(sim.volume(), scenario.process, plan);
  try {
    await sim.run(scenario.work(sim));
    faults.end();
    await sim.run(scenario.check(sim, run));
    return faults;
  } catch (error) {
    const told = JSON.stringify(plan);
    const place = `seed ${scenario.seed}, run ${run}, faults ${told}`;
    throw new Error(`${place}: ${String(error)}`, { cause: error });
  }
}

/**
 * Runs the scenario with a fault of each kind at each call, `every`-th of them from `first` on.
 * @returns the number of runs in which something failed
 */
export async function failAtEveryCall(
  scenario: FaultScenario,
  kinds: readonly Omit<PlannedFault, 'call'>[],
  { first = 1, every = 1 }: { readonly first?: number; readonly every?: number } = {},
): Promise<number> {
  const { calls } = await runWithFaults(scenario, []);
  let hits = 0;
  let run = 0;
  for (const kind of kinds) {
    for (let call = first; call <= calls; call += every) {
      const { failed } = await runWithFaults(scenario, [{ ...kind, call }], run++);
      if (failed > 0) hits++;
    }
  }
  return hits;
}
