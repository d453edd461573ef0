import type { ClientOptions } from './client-options.js';
import { withAdmin } from './clients.js';
import type { Context } from './context.js';
import { ExitCode } from './failure.js';
import { lagsOf } from './group-lag.js';
import { table } from './table.js';

/** `status`: the cluster at a glance. */
export async function status(context: Context, options: ClientOptions): Promise<number> {
  const { terminal } = context;
  const found = await withAdmin(context, options, async (admin) => {
    const cluster = await admin.describeCluster();
    const topics = (await admin.listTopics()).filter(({ isInternal }) => !isInternal);
    const groups = [];
    for (const { groupId, state } of await admin.listGroups()) {
      const lags = await lagsOf(admin, groupId);
      const lag = lags.reduce((sum, each) => sum + Math.max(each.lag, 0), 0);
      groups.push({ group: groupId, state, lag });
    }
    return {
      clusterId: cluster.clusterId,
      brokers: cluster.brokers.map(({ nodeId, host, port }) => ({ id: nodeId, host, port })),
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.length,
        leaderless: partitions.filter(({ leaderId }) => leaderId < 0).length,
      })),
      groups,
    };
  });
  if (options.output === 'json') {
    await terminal.data(`${JSON.stringify(found)}\n`);
    return ExitCode.done;
  }
  const brokers = found.brokers.map(({ id, host, port }) => [id, `${host}:${port}`]);
  await terminal.data(`cluster ${found.clusterId}\n\n${table(['BROKER', 'ADDRESS'], brokers)}`);
  const topics = found.topics.map((topic) => Object.values(topic));
  await terminal.data(`\n${table(['TOPIC', 'PARTITIONS', 'WITHOUT LEADER'], topics)}`);
  const groups = found.groups.map((group) => Object.values(group));
  await terminal.data(`\n${table(['GROUP', 'STATE', 'LAG'], groups)}`);
  return ExitCode.done;
}
