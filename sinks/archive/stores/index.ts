import { local } from './local.js';
import type { ArchiveSite, StoreComponent } from './store.js';

export { LocalStore } from './local.js';
export type { ArchiveSite, Store, StoreComponent, StoreContext, StorePlace } from './store.js';

/** Every type of store. */
export const storeComponents: readonly StoreComponent[] = [local];

/** The archive below a directory that a person named without a configuration. */
export function directoryArchive(root: string): ArchiveSite {
  return { place: local.place({ root }), open: (context) => local.create({ root }, context) };
}
