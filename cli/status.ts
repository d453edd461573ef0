import type { SourceStatus } from '../agent/index.js';
import type { Admin } from '../client/index.js';
import type { SinkStatus } from '../sinks/index.js';
import { archivesReach, reachData, reachText } from './archive-reach.js';
import { archivesOfFile, type NamedArchive } from './archive-stores.js';
import type { ClientOptions } from './client-options.js';
import { withAdmin } from './clients.js';
import type { Context } from './context.js';
import { ExitCode } from './failure.js';
import { lagsOf } from './group-lag.js';
import { bytesText } from './progress.js';
import { healthOfRoles, type RoleHealth } from './role-health.js';
import { table } from './table.js';
import { type TopicFigures, topicFigures } from './topic-figures.js';
import { loadWholeConfig } from './whole-config.js';

/** Options of `status`. */
export interface StatusOptions extends ClientOptions {
  /** A file whose roles are asked as well, and whose brokers are taken. */
  readonly config?: string;
  /** Whether `--bootstrap` was given: it goes before the file's. */
  readonly bootstrapGiven?: boolean;
}

/** `status`: what is wrong, then roles, sources, sinks, brokers, topics, groups and archives. */
export async function status(context: Context, options: StatusOptions): Promise<number> {
  const { terminal } = context;
  const { roles, bootstrap, archives } = await rolesAndBrokers(context, options);
  const isJson = options.output === 'json';
  const problems = problemsOf(roles);
  // Said before a broker is asked: it may be the one that is gone.
  if (!isJson) await terminal.data(rolesText(roles));
  const sizes = statusOf<{ topicBytes?: Record<string, number> }>(roles, 'broker')?.topicBytes;
  const cluster = await withAdmin(context, { ...options, bootstrap }, (admin) =>
    clusterOf(context, admin, sizes ?? {}, archives),
  ).catch(async (error: unknown) => {
    if (isJson) await terminal.data(`${JSON.stringify({ problems, roles })}\n`);
    throw error;
  });
  if (isJson) {
    const data = { ...cluster, archives: reachData(cluster.archives) };
    await terminal.data(`${JSON.stringify({ problems, roles, ...data })}\n`);
  } else {
    await terminal.data(clusterText(cluster));
  }
  return ExitCode.done;
}

async function rolesAndBrokers(context: Context, options: StatusOptions) {
  if (options.config === undefined) {
    return { roles: [], bootstrap: options.bootstrap, archives: [] };
  }
  const loaded = await loadWholeConfig(context, options.config);
  const { config } = loaded;
  const kafka = config.kafka as { readonly bootstrap?: readonly string[] } | undefined;
  const named = options.bootstrapGiven === true ? undefined : kafka?.bootstrap?.join(',');
  return {
    roles: await healthOfRoles(context.system, config),
    bootstrap: named ?? options.bootstrap,
    archives: archivesOfFile(loaded),
  };
}

function statusOf<T>(roles: readonly RoleHealth[], name: RoleHealth['role']): T | undefined {
  return roles.find(({ role }) => role === name)?.status as T | undefined;
}

const problemsOf = (roles: readonly RoleHealth[]) =>
  roles.flatMap(({ role, problems }) => problems.map((problem) => ({ role, ...problem })));

type ClusterFigures = Awaited<ReturnType<typeof clusterOf>>;

async function clusterOf(
  { system }: Context,
  admin: Admin,
  sizes: Readonly<Record<string, number>>,
  named: readonly NamedArchive[],
) {
  const cluster = await admin.describeCluster();
  const listed = (await admin.listTopics()).filter(({ isInternal }) => !isInternal);
  const topics: TopicFigures[] = await topicFigures(admin, system.clock, listed, sizes);
  const groups = [];
  for (const { groupId, state } of await admin.listGroups()) {
    const lags = await lagsOf(admin, groupId);
    const lag = lags.reduce((sum, each) => sum + Math.max(each.lag, 0), 0);
    groups.push({ group: groupId, state, lag });
  }
  const brokers = cluster.brokers.map(({ nodeId, host, port }) => ({ id: nodeId, host, port }));
  const archives = await archivesReach(system, admin, named);
  return { clusterId: cluster.clusterId, brokers, topics, groups, archives };
}

/** Of figures that only some types of source have, these are shown where they are. */
interface SourcesStatus {
  readonly sources?: Readonly<
    Record<string, SourceStatus & { readonly files?: number; readonly failed?: number }>
  >;
}

/** What is wrong, the roles, and what the sources and sinks have done. */
function rolesText(roles: readonly RoleHealth[]): string {
  if (roles.length === 0) return '';
  const problems = problemsOf(roles).map(
    ({ role, text, since }) => `${role}: ${text} (since ${new Date(since).toISOString()})\n`,
  );
  const { sources = {} } = statusOf<SourcesStatus>(roles, 'agent') ?? {};
  const sinks = statusOf<Record<string, SinkStatus>>(roles, 'sinks') ?? {};
  const rows = roles.map(({ role, state, address }) => [role, state, address]);
  let text = problems.length === 0 ? '' : `PROBLEMS\n${problems.join('')}\n`;
  text += `${table(['ROLE', 'STATE', 'HEALTH'], rows)}\n`;
  const sourceRows = Object.entries(sources).map(([name, source]) => {
    const { type, files = '', acknowledged, lagBytes, failed = '' } = source;
    return [name, type, files, acknowledged, bytesText(lagBytes), failed];
  });
  const sourceTitles = ['SOURCE', 'TYPE', 'FILES', 'ACKNOWLEDGED', 'UNSENT', 'FAILED'];
  if (sourceRows.length > 0) text += `${table(sourceTitles, sourceRows)}\n`;
  const sinkRows = Object.entries(sinks).map(([name, sink]) => {
    const { type, group, records, bytes, lag, partitions } = sink;
    const blocked = partitions.filter((partition) => partition.blocked !== undefined).length;
    return [name, type, group, records, bytesText(bytes), lag, partitions.length, blocked];
  });
  const sinkTitles = ['SINK', 'TYPE', 'GROUP', 'ARRIVED', 'BYTES', 'LAG', 'PARTITIONS', 'BLOCKED'];
  if (sinkRows.length > 0) text += `${table(sinkTitles, sinkRows)}\n`;
  return text;
}

function clusterText({ clusterId, brokers, topics, groups, archives }: ClusterFigures): string {
  const brokerRows = brokers.map(({ id, host, port }) => [id, `${host}:${port}`]);
  const topicRows = topics.map((topic) => {
    const { name, partitions, leaderless, records, recordsPerSecond, bytes } = topic;
    const size = bytes === undefined ? '' : bytesText(bytes);
    return [name, partitions, leaderless, records, recordsPerSecond, size];
  });
  const titles = ['TOPIC', 'PARTITIONS', 'WITHOUT LEADER', 'RECORDS', 'RECORDS/S', 'SIZE'];
  const groupRows = groups.map((group) => Object.values(group));
  return [
    `cluster ${clusterId}\n\n${table(['BROKER', 'ADDRESS'], brokerRows)}`,
    table(titles, topicRows),
    table(['GROUP', 'STATE', 'LAG'], groupRows),
    ...(archives.length > 0 ? [reachText(archives)] : []),
  ].join('\n');
}
