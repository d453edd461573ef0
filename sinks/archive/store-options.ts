import { z } from '../../config/index.js';
import type { System } from '../../system/index.js';
import { LocalStore, type Store } from './stores/index.js';

const localStore = z
  .strictObject({
    type: z.literal('local'),
    root: z
      .string()
      .min(1)
      .describe('Directory of the archive, on a file system that has hard links.'),
  })
  .describe('A directory on this machine or on a mounted file system.');

/** Where an archive lives; one alternative per kind of store. */
export const storeSchema = z
  .discriminatedUnion('type', [localStore])
  .describe('Where the archive lives.');

export type StoreConfig = z.output<typeof storeSchema>;

/** Opens a store. `writer` names its folder for unfinished files: no two writers may share one. */
export function openStore(
  system: Pick<System, 'disk' | 'random'>,
  config: StoreConfig,
  writer: string,
): Store {
  return new LocalStore(system, config.root, writer);
}
