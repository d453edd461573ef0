export {
  type ArchivedFile,
  archiveCoverage,
  type ClusterLook,
  listArchive,
  lookAtCluster,
  openStore,
  type PartitionCoverage,
  type StoreConfig,
  verifyArchive,
} from './archive/index.js';
export { type SinksConfig, sinksSection } from './schema.js';
export { type SinkStatus, Sinks } from './sinks.js';
