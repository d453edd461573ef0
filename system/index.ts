export type { Clock, Timer } from './clock.js';
export { detach } from './detach.js';
export type { Disk, DiskFile, FileStat, OpenMode } from './disk.js';
export type { Http, HttpReply, HttpRequest, HttpResponse } from './http.js';
export {
  awaitDirectoryLock,
  type DirectoryLock,
  DirectoryLockError,
  lockDirectory,
} from './lock.js';
export type { Log } from './log.js';
export type { Counter, Gauge, Histogram, Labels, Metrics } from './metrics.js';
export type { Connection, ConnectionEvents, Listener, Net } from './net.js';
export { pathFromBytes, pathToBytes, printable } from './path-bytes.js';
export { type Problem, Problems } from './problems.js';
export type { ChildProcess, Processes, StopSignal } from './processes.js';
export type { Random } from './random.js';
export type { System } from './system.js';
export { WallSteps } from './wall-steps.js';
export type { Watch, WatchEvents, WatchRoot } from './watch.js';
export { refuseUnlessWritable } from './writable-folder.js';
