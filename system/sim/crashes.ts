import { SimCrash } from './life.js';
import { type SimProcess, Simulation } from './simulation.js';

/** What happens at the step where the process dies. */
export type CrashKind = 'kill' | 'torn' | 'powerLoss';

/** A scenario to be crashed at every step. */
export interface CrashScenario {
  readonly seed: number;
  /** `kill`: before the effect; `torn`: half-way through a write; `powerLoss`: unsynced is lost. */
  readonly kinds: readonly CrashKind[];
  /** The name of the process that is crashed. */
  readonly process?: string;
  /** Prepares the world, uncrashed, before the process starts. */
  prepare?(sim: Simulation): Promise<void>;
  /** The work of the process that is crashed. */
  work(process: SimProcess, sim: Simulation): Promise<void>;
  /** After the crash: starts anew what it needs and throws where a promise is broken. */
  check(sim: Simulation, crashedAt: number): Promise<void>;
}

/**
 * Runs the scenario once uncrashed to count its effects, then once for each effect and kind with
 * a crash there, and checks what is left each time. A failure names seed, kind and step.
 * @returns the number of crashes tried
 */
export async function crashAtEveryStep(scenario: CrashScenario): Promise<number> {
  const steps = await runOnce(scenario, undefined, 0);
  for (const kind of scenario.kinds) {
    for (let step = 1; step <= steps; step++) await runOnce(scenario, kind, step);
  }
  return steps * scenario.kinds.length;
}

/** @returns the number of effects the process had */
async function runOnce(
  scenario: CrashScenario,
  kind: CrashKind | undefined,
  step: number,
): Promise<number> {
  // Each step with a seed of its own, so that power cuts and latencies differ.
  const sim = new Simulation(scenario.seed * 100_003 + step);
  try {
    if (scenario.prepare) await sim.run(scenario.prepare(sim));
    const process = sim.process(scenario.process ?? 'crashing');
    if (kind) process.crashAt(process.steps + step, { torn: kind === 'torn' });
    await sim.run(untilDead(process, scenario.work(process, sim)));
    const steps = process.steps;
    if (kind === 'powerLoss') sim.powerLoss(process.processes.hostname());
    else if (kind) process.kill();
    await sim.run(scenario.check(sim, step));
    return steps;
  } catch (error) {
    const place = kind ? `${kind} at step ${step}` : 'uncrashed';
    throw new Error(`seed ${scenario.seed}, ${place}: ${String(error)}`, { cause: error });
  }
}

/** The work's end, or the process's. */
function untilDead(process: SimProcess, work: Promise<void>): Promise<void> {
  const survived = work.catch((error: unknown) => {
    if (process.alive || !(error instanceof SimCrash)) throw error;
  });
  return Promise.race([survived, process.ended]);
}

/** Runs `scenario` for each seed; a failure names the seed, which replays it exactly. */
export async function forEachSeed(
  seeds: Iterable<number>,
  scenario: (sim: Simulation) => Promise<void>,
): Promise<void> {
  for (const seed of seeds) {
    const sim = new Simulation(seed);
    try {
      await sim.run(scenario(sim));
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    }
  }
}
