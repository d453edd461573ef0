import { Simulation } from './simulation.js';

export type { CrashKind, CrashScenario } from './crashes.js';
export { crashAtEveryStep, forEachSeed } from './crashes.js';
export type { DiskFault, DiskOperation, SimVolume } from './disk-paths.js';
export type { FaultScenario, PlannedFault } from './faults.js';
export { failAtEveryCall, runWithFaults } from './faults.js';
export type { Endpoint, ReceivedRequest, ScriptedAnswer } from './http.js';
export type { LogLine } from './log.js';
export type { SimProcess, Simulation } from './simulation.js';

/**
 * A simulated world: `sim.process('broker')` is a `System` on virtual time, which stands still
 * outside `sim.run`, `sim.advance` and `sim.runUntilIdle`.
 */
export function createSimSystem(options: { readonly seed: number }): Simulation {
  return new Simulation(options.seed);
}
