export {
  type ArchivedFile,
  listArchive,
  openStore,
  type StoreConfig,
  verifyArchive,
} from './archive/index.js';
export { type SinksConfig, sinksSection } from './schema.js';
export { Sinks } from './sinks.js';
