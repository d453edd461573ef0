import { openStore, type StoreConfig } from '../sinks/index.js';
import type { System } from '../system/index.js';

/** An archive, and who archives there. */
export interface NamedStore {
  /** What to call it: its root. */
  readonly name: string;
  readonly config: StoreConfig;
  /** Sinks that archive here, by the file: the name of their claims, and their group. */
  readonly sinks: readonly { readonly sink: string; readonly group: string }[];
  readonly bootstrap: readonly string[] | undefined;
}

interface KafkaPart {
  readonly bootstrap?: readonly string[];
}

type Sections = Readonly<
  Record<
    string,
    { readonly store?: StoreConfig; readonly continues?: string; readonly kafka?: KafkaPart }
  >
>;

/** The archives of a YAML file that was loaded whole, each once. */
export function storesOfFile(loaded: {
  readonly config: { readonly sinks?: unknown };
  readonly document: unknown;
}): NamedStore[] {
  const { kafka } = loaded.document as { readonly kafka?: KafkaPart };
  const stores = new Map<string, NamedStore>();
  for (const [name, section] of Object.entries((loaded.config.sinks ?? {}) as Sections)) {
    const { store, continues = name } = section;
    if (store === undefined) continue;
    const known = stores.get(store.root);
    const sinks = [...(known?.sinks ?? []), { sink: continues, group: `logflume-${name}` }];
    const bootstrap = known?.bootstrap ?? section.kafka?.bootstrap ?? kafka?.bootstrap;
    stores.set(store.root, { name: store.root, config: store, sinks, bootstrap });
  }
  return [...stores.values()];
}

/** Whether there is anything at all where an archive should be. */
export function isPresent({ disk }: System, { root }: StoreConfig): boolean {
  return disk.statSync(root)?.kind === 'directory';
}

/** To read from. */
export function opened(system: System, { config }: NamedStore) {
  return openStore(system, config, `cli-${system.processes.pid}`);
}
