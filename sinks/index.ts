export {
  type ArchivedFile,
  type ArchiveProblem,
  type ArchiveReport,
  listArchive,
  openStore,
  type StoreConfig,
  verifyArchive,
} from './archive/index.js';
export type { PartitionStatus } from './runner.js';
export { type SinkConfig, type SinksConfig, sinksSection } from './schema.js';
export { type SinkStatus, Sinks, type SinksOptions } from './sinks.js';
