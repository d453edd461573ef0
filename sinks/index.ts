export {
  type ArchivedFile,
  type ArchiveSite,
  archiveCoverage,
  type ClusterLook,
  directoryArchive,
  type FormatComponent,
  listArchive,
  lookAtCluster,
  type PartitionCoverage,
  type Store,
  type StoreComponent,
  verifyArchive,
} from './archive/index.js';
export { type SinkComponents, sinkComponents } from './components.js';
export { archivesOf, type SinksConfig, sinksSection } from './schema.js';
export type { SinkArchive, SinkComponent, SinkContext } from './sink.js';
export { type SinkStatus, Sinks } from './sinks.js';
