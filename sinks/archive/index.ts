export { ArchiveSink } from './archive-sink.js';
export { archiveCoverage, lookAtCluster } from './cluster-look.js';
export type { ClusterLook, PartitionCoverage } from './coverage.js';
export { type ArchivedFile, listArchive } from './list.js';
export { archiveSchema } from './options.js';
export { openStore, type StoreConfig } from './store-options.js';
export { verifyArchive } from './verify.js';
