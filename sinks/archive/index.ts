export { ArchiveSink } from './archive-sink.js';
export { type ArchivedFile, listArchive } from './list.js';
export { type ArchiveConfig, archiveSchema } from './options.js';
export { openStore, type StoreConfig, storeSchema } from './store-options.js';
export { type ArchiveProblem, type ArchiveReport, verifyArchive } from './verify.js';
