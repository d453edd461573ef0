import type { Admin } from '../client/index.js';
import { archiveCoverage, lookAtCluster, type PartitionCoverage } from '../sinks/index.js';
import type { System } from '../system/index.js';
import { isPresent, type NamedStore, opened } from './archive-stores.js';
import { table } from './table.js';

/** How far an archive reaches, beside its topics. */
export interface ArchiveReach {
  readonly root: string;
  /** Whether its directory is on this machine. */
  readonly present: boolean;
  readonly partitions: readonly PartitionCoverage[];
}

/** Reads the names of claims, and no file of the archives. */
export async function archivesReach(
  system: System,
  admin: Admin,
  stores: readonly NamedStore[],
): Promise<ArchiveReach[]> {
  const reach: ArchiveReach[] = [];
  for (const store of stores) {
    const present = isPresent(system, store.config);
    const partitions = present
      ? await archiveCoverage(opened(system, store), await lookAtCluster(admin, store.sinks))
      : [];
    reach.push({ root: store.name, present, partitions });
  }
  return reach;
}

/** A table; what is not known stays empty. */
export function reachText(archives: readonly ArchiveReach[]): string {
  const rows = archives.flatMap(({ root, present, partitions }) => {
    if (!present) return [[root, 'no such directory here']];
    if (partitions.length === 0) return [[root, 'nothing archived yet']];
    return partitions.map(({ sink, topic, partition, from, archivedTo, topicEnd, lag }) => [
      ...[root, sink, topic, partition, from, archivedTo, topicEnd ?? '', lag ?? ''],
    ]);
  });
  const of = ['ARCHIVE', 'SINK', 'TOPIC', 'PARTITION'];
  return table([...of, 'FROM', 'ARCHIVED TO', 'TOPIC END', 'NOT ARCHIVED'], rows);
}
