import { Problems } from '../problems.js';
import type { System } from '../system.js';
import { createClock } from './clock.js';
import { createDisk } from './disk.js';
import { createHttp } from './http.js';
import { createLog, type LogFormat, type LogLevel } from './log.js';
import { createMetrics } from './metrics.js';
import { createNet } from './net.js';
import { createProcesses } from './processes.js';
import { createRandom } from './random.js';
import { createWatch } from './watch.js';

export type { LogFormat, LogLevel } from './log.js';

/** How the real system presents itself to a person. */
export interface RealSystemOptions {
  /** Default `info`. */
  readonly logLevel?: LogLevel;
  /** Default `auto`: plain lines on a terminal, JSON otherwise. */
  readonly logFormat?: LogFormat;
}

/** The machine this process runs on. Heavy libraries are loaded when they are first needed. */
export function createRealSystem(options: RealSystemOptions = {}): System {
  const clock = createClock();
  const log = createLog(options.logLevel ?? 'info', options.logFormat ?? 'auto');
  const metrics = createMetrics();
  const problems = new Problems(clock, log, metrics);
  return {
    clock,
    random: createRandom(),
    disk: createDisk(),
    net: createNet(),
    http: createHttp(),
    watch: createWatch(problems),
    log,
    metrics,
    problems,
    processes: createProcesses(),
  };
}
