import type { ArchiveSite, Store } from '../sinks/index.js';
import type { System } from '../system/index.js';
import type { LoadedWhole } from './whole-config.js';

/** An archive, and who archives there. */
export interface NamedArchive extends ArchiveSite {
  /** Sinks that archive here, by the file: the name of their claims, and their group. */
  readonly sinks: readonly { readonly sink: string; readonly group: string }[];
  readonly bootstrap: readonly string[] | undefined;
}

interface KafkaPart {
  readonly bootstrap?: readonly string[];
}

/** The archives of a YAML file that was loaded whole, each once. */
export function archivesOfFile({ archives, config, document }: LoadedWhole): NamedArchive[] {
  const { kafka } = document as { readonly kafka?: KafkaPart };
  const named = new Map<string, NamedArchive>();
  for (const [name, { place, open, continues = name }] of archives) {
    const known = named.get(place.id);
    const sinks = [...(known?.sinks ?? []), { sink: continues, group: `logflume-${name}` }];
    const own = config.sinks?.[name]?.kafka?.bootstrap;
    const bootstrap = known?.bootstrap ?? own ?? kafka?.bootstrap;
    named.set(place.id, { place: known?.place ?? place, open, sinks, bootstrap });
  }
  return [...named.values()];
}

/** To read from. */
export function opened(system: System, archive: ArchiveSite): Store {
  return archive.open({ system, writer: `cli-${system.processes.pid}` });
}
