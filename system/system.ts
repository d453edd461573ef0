import type { Clock } from './clock.js';
import type { Disk } from './disk.js';
import type { Http } from './http.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';
import type { Net } from './net.js';
import type { Problems } from './problems.js';
import type { Processes } from './processes.js';
import type { Random } from './random.js';
import type { Watch } from './watch.js';

/** Everything a part may ask of the operating system; handed in, never imported. */
export interface System {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly net: Net;
  readonly http: Http;
  readonly watch: Watch;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly problems: Problems;
  readonly processes: Processes;
}
