export { archive } from './archive-sink.js';
export { archiveCoverage, lookAtCluster } from './cluster-look.js';
export type { ClusterLook, PartitionCoverage } from './coverage.js';
export { type FormatComponent, formats } from './formats/index.js';
export { type ArchivedFile, listArchive } from './list.js';
export {
  type ArchiveSite,
  directoryArchive,
  type Store,
  type StoreComponent,
  storeComponents,
} from './stores/index.js';
export { verifyArchive } from './verify.js';
