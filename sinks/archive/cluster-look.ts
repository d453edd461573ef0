import { type Admin, EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from '../../client/index.js';
import { type ChainExtent, readReach } from './catalog.js';
import {
  type ClusterLook,
  coverageOf,
  type PartitionCoverage,
  type PartitionOffsets,
} from './coverage.js';
import type { Store } from './stores/index.js';

/** The name under which a sink's claims lie, and the group that commits. */
export interface SinkGroup {
  readonly sink: string;
  readonly group: string;
}

/** What a cluster has of these topics, and what these groups have committed. */
export async function lookAtCluster(
  admin: Admin,
  sinks: readonly SinkGroup[],
  isWanted: (topic: string) => boolean = () => true,
): Promise<ClusterLook> {
  const clusterId = (await admin.describeCluster()).clusterId ?? 'unknown';
  const groups = await Promise.all(
    sinks.map(async ({ sink, group }) => {
      const offsets = await admin.groupOffsets(group);
      return offsets.filter(({ topic }) => isWanted(topic)).map((at) => ({ sink, ...at }));
    }),
  );
  const partitions: PartitionOffsets[] = [];
  for (const { name, isInternal } of await admin.listTopics()) {
    if (isInternal || !isWanted(name)) continue;
    const { topicId, partitions: all } = await admin.describeTopic(name);
    const queries = all.flatMap(({ partition }) =>
      [EARLIEST_TIMESTAMP, LATEST_TIMESTAMP].map((timestamp) => ({
        topic: name,
        partition,
        timestamp,
      })),
    );
    const found = await admin.listOffsets(queries);
    for (const [i, { partition }] of all.entries()) {
      const start = found[2 * i]?.offset;
      const end = found[2 * i + 1]?.offset;
      if (start === undefined || end === undefined) continue;
      partitions.push({ topic: name, topicId, partition, start, end });
    }
  }
  return { clusterId, partitions, committed: groups.flat() };
}

/**
 * How far an archive reaches, by the names of its claims: two reads a chain, however long it is.
 * What is missing or damaged in the middle only `verifyArchive` sees.
 */
export async function archiveCoverage(
  store: Store,
  look: ClusterLook | string,
): Promise<PartitionCoverage[]> {
  const chains: ChainExtent[] = [];
  for await (const chain of readReach(store)) chains.push(chain);
  return coverageOf(chains, look).partitions;
}
