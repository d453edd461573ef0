export {
  type ArchivedFile,
  type ArchiveSite,
  archiveCoverage,
  type ClusterLook,
  directoryArchive,
  listArchive,
  lookAtCluster,
  type PartitionCoverage,
  type Store,
  verifyArchive,
} from './archive/index.js';
export { type SinkComponents, sinkComponents } from './components.js';
export { archivesOf, type SinksConfig, sinksSection } from './schema.js';
export type { SinkArchive } from './sink.js';
export { type SinkStatus, Sinks } from './sinks.js';
