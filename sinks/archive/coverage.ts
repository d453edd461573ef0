import type { ChainExtent } from './catalog.js';
import type { ChainId } from './names.js';

/** A partition as a cluster has it now. */
export interface PartitionOffsets {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** Offsets: the first that is there, and the next one to come. */
  readonly start: number;
  readonly end: number;
}

/** What a cluster knows that an archive can be compared with. */
export interface ClusterLook {
  readonly clusterId: string;
  readonly partitions: readonly PartitionOffsets[];
  /** What the groups of sinks have committed. */
  readonly committed: readonly {
    readonly sink: string;
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
  }[];
}

/** How far the archive of one partition reaches, and how far its topic does. */
export interface PartitionCoverage {
  readonly sink: string;
  readonly cluster: string;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** The offset that the chain begins with. */
  readonly from: number;
  /** Every offset from `from` up to here is in claims that are complete. */
  readonly archivedTo: number;
  /** The topic's offsets, and what the sink's group committed; absent where not known. */
  readonly topicStart?: number;
  readonly topicEnd?: number;
  readonly committed?: number;
  /** Offsets that are in the topic and not in the archive yet; absent where not known. */
  readonly lag?: number;
  /** A sentence: what could not be known, and why. */
  readonly unknown?: string;
}

/** Something that only shows when archive and cluster are compared. */
export interface CoverageProblem {
  readonly kind: 'not archived' | 'claims missing' | 'topic behind';
  readonly name: string;
  readonly message: string;
}

/**
 * Compares chains with what their cluster says; a text in place of `look` is why nothing is known.
 * `look` must be older than the chains, so that what it names is in them; `ends` younger, so that
 * they are not beyond it.
 */
export function coverageOf(
  chains: readonly ChainExtent[],
  look: ClusterLook | string,
  ends: ClusterLook | string = look,
): { readonly partitions: PartitionCoverage[]; readonly problems: CoverageProblem[] } {
  const problems: CoverageProblem[] = [];
  const partitions = chains.map((chain) => compare(chain, look, ends, problems));
  if (typeof look !== 'string') problems.push(...chainsMissing(chains, look));
  return { partitions, problems };
}

function compare(
  { id, from, archivedTo }: ChainExtent,
  look: ClusterLook | string,
  ends: ClusterLook | string,
  problems: CoverageProblem[],
): PartitionCoverage {
  const { sink, cluster, topic, topicId, partition } = id;
  const known = { sink, cluster, topic, topicId, partition, from, archivedTo };
  const unknown = (why: string): PartitionCoverage => ({
    ...known,
    unknown:
      `${nameOf(id)}: complete claims reach up to offset ${archivedTo}; ` +
      `whether the topic has more is not known: ${why}`,
  });
  if (typeof look === 'string' || typeof ends === 'string') return unknown(String(look));
  if (look.clusterId !== cluster) {
    return unknown(`the brokers are of cluster ${look.clusterId}, the claims of ${cluster}`);
  }
  const before = look.partitions.find((at) => isAt(at, id));
  const now = ends.partitions.find((at) => isAt(at, id));
  if (before === undefined || now === undefined) return unknown('the cluster has no such topic');
  if (before.topicId !== topicId || now.topicId !== topicId) {
    return unknown(`the topic was created anew since, as ${now.topicId}`);
  }
  // A sink that was renamed has committed to several groups.
  const commits = look.committed.filter((at) => at.sink === sink && isAt(at, id));
  const committed = commits.length === 0 ? undefined : Math.max(...commits.map((at) => at.offset));
  const problem = (kind: CoverageProblem['kind'], message: string) =>
    problems.push({ kind, name: nameOf(id), message });
  // Beyond the end it is a predecessor's: the topic was created anew.
  if (committed !== undefined && committed > archivedTo && committed <= now.end) {
    const lost = `Offsets ${archivedTo} to ${committed - 1} were archived, as the group's`;
    problem('claims missing', `${lost} committed offset says, but no complete claim covers them.`);
  }
  if (before.start > archivedTo) {
    const lost = `Offsets ${archivedTo} to ${before.start - 1} are not in the archive`;
    problem('not archived', `${lost}, and retention has removed them from the topic.`);
  }
  if (archivedTo > now.end) {
    const message = `The topic ends at ${now.end}, the archive at ${archivedTo}:`;
    problem('topic behind', `${message} records were lost in the broker.`);
  }
  const { start: topicStart, end: topicEnd } = now;
  const lag = Math.max(0, topicEnd - Math.max(archivedTo, topicStart));
  return { ...known, topicStart, topicEnd, ...(committed === undefined ? {} : { committed }), lag };
}

/** A group has committed offsets of partitions for which there is no chain at all. */
function chainsMissing(chains: readonly ChainExtent[], look: ClusterLook): CoverageProblem[] {
  return look.committed.flatMap((at) => {
    if (at.offset === 0 || chains.some(({ id }) => id.sink === at.sink && isAt(at, id))) return [];
    const message = `The group has committed offset ${at.offset}, but there is no claim.`;
    return [{ kind: 'claims missing' as const, name: nameOf(at), message }];
  });
}

type At = Pick<ChainId, 'topic' | 'partition'>;

function isAt(a: At, b: At): boolean {
  return a.topic === b.topic && a.partition === b.partition;
}

function nameOf({ sink, topic, partition }: At & { readonly sink: string }): string {
  return `sink ${sink}, topic ${topic}, partition ${partition}`;
}
