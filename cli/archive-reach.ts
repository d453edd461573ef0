import type { Admin } from '../client/index.js';
import {
  type ArchiveSite,
  archiveCoverage,
  lookAtCluster,
  type PartitionCoverage,
} from '../sinks/index.js';
import type { System } from '../system/index.js';
import { type NamedArchive, opened } from './archive-stores.js';
import { table } from './table.js';

/** How far an archive reaches, beside its topics. */
export interface ArchiveReach {
  readonly place: ArchiveSite['place'];
  /** Whether it is there, as seen from this machine. */
  readonly present: boolean;
  readonly partitions: readonly PartitionCoverage[];
}

/** Reads the names of claims, and no file of the archives. */
export async function archivesReach(
  system: System,
  admin: Admin,
  archives: readonly NamedArchive[],
): Promise<ArchiveReach[]> {
  const reach: ArchiveReach[] = [];
  for (const archive of archives) {
    const { place, sinks } = archive;
    const present = await place.isPresent(system);
    const partitions = present
      ? await archiveCoverage(opened(system, archive), await lookAtCluster(admin, sinks))
      : [];
    reach.push({ place, present, partitions });
  }
  return reach;
}

/** Plain data; where an archive lives goes by `root`, whatever its store calls it. */
export function reachData(archives: readonly ArchiveReach[]) {
  return archives.map(({ place, ...reach }) => ({ root: place.name, ...reach }));
}

/** A table; what is not known stays empty. */
export function reachText(archives: readonly ArchiveReach[]): string {
  const rows = archives.flatMap(({ place: { name: root, kind }, present, partitions }) => {
    if (!present) return [[root, `no such ${kind} here`]];
    if (partitions.length === 0) return [[root, 'nothing archived yet']];
    return partitions.map(({ sink, topic, partition, from, archivedTo, topicEnd, lag }) => [
      ...[root, sink, topic, partition, from, archivedTo, topicEnd ?? '', lag ?? ''],
    ]);
  });
  const of = ['ARCHIVE', 'SINK', 'TOPIC', 'PARTITION'];
  return table([...of, 'FROM', 'ARCHIVED TO', 'TOPIC END', 'NOT ARCHIVED'], rows);
}
