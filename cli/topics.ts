import {
  type Admin,
  BrokerError,
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  type TopicMetadata,
} from '../client/index.js';
import type { ClientOptions } from './client-options.js';
import { withAdmin } from './clients.js';
import type { Context } from './context.js';
import { ExitCode, UsageError } from './failure.js';
import { table } from './table.js';

/** `NAME=VALUE` texts as an object. */
function settingsOf(texts: readonly string[] | undefined): Record<string, string> {
  return Object.fromEntries(
    (texts ?? []).map((text) => {
      const at = text.indexOf('=');
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** `topics list`. */
export async function list(
  context: Context,
  options: ClientOptions & { readonly internal?: boolean },
): Promise<number> {
  const { terminal } = context;
  const all = await withAdmin(context, options, (admin) => admin.listTopics());
  const topics = all.filter(({ isInternal }) => !isInternal || options.internal === true);
  if (options.output === 'json') {
    for (const topic of topics) await terminal.data(`${JSON.stringify(summaryOf(topic))}\n`);
    return ExitCode.done;
  }
  const rows = topics.map(summaryOf).map((topic) => Object.values(topic));
  await terminal.data(table(['TOPIC', 'PARTITIONS', 'REPLICAS', 'ID'], rows));
  return ExitCode.done;
}

function summaryOf(topic: TopicMetadata) {
  return {
    name: topic.name,
    partitions: topic.partitions.length,
    replicas: topic.partitions[0]?.replicas.length ?? 0,
    id: topic.topicId,
  };
}

/** `topics create`. */
export async function create(
  context: Context,
  names: readonly string[],
  options: ClientOptions & {
    readonly partitions?: number;
    readonly replicationFactor?: number;
    readonly config?: readonly string[];
    readonly ifNotExists?: boolean;
  },
): Promise<number> {
  const { partitions, replicationFactor } = options;
  const configs = settingsOf(options.config);
  await withAdmin(context, options, async (admin) => {
    for (const name of names) {
      try {
        await admin.createTopic({
          name,
          configs,
          ...(partitions !== undefined && { partitions }),
          ...(replicationFactor !== undefined && { replicationFactor }),
        });
        context.terminal.say(`topic ${name} is created`);
      } catch (error) {
        const exists = error instanceof BrokerError && error.code === 'TOPIC_ALREADY_EXISTS';
        if (!exists || options.ifNotExists !== true) throw error;
        context.terminal.say(`topic ${name} is there already`);
      }
    }
  });
  return ExitCode.done;
}

/** `topics describe`: partitions with their offsets, and the settings that differ. */
export async function describe(
  context: Context,
  names: readonly string[],
  options: ClientOptions,
): Promise<number> {
  const { terminal } = context;
  await withAdmin(context, options, async (admin) => {
    const all = await admin.listTopics();
    const wanted = names.length > 0 ? names : all.filter((t) => !t.isInternal).map((t) => t.name);
    for (const name of wanted) {
      const description = await descriptionOf(admin, await admin.describeTopic(name));
      if (options.output === 'json') {
        await terminal.data(`${JSON.stringify(description)}\n`);
        continue;
      }
      const { id, settings, partitions } = description;
      await terminal.data(`${name}  id ${id}\n`);
      for (const [key, value] of Object.entries(settings)) {
        await terminal.data(`  ${key}=${value}\n`);
      }
      const titles = ['PARTITION', 'LEADER', 'REPLICAS', 'ISR', 'START', 'END'];
      const rows = partitions.map((each) => Object.values(each));
      await terminal.data(table(titles, rows));
    }
  });
  return ExitCode.done;
}

async function descriptionOf(admin: Admin, topic: TopicMetadata) {
  const { name, topicId: id } = topic;
  const offsets = async (timestamp: number) => {
    const queries = topic.partitions.map(({ partition }) => ({
      topic: name,
      partition,
      timestamp,
    }));
    const found = await admin.listOffsets(queries);
    return new Map(found.map(({ partition, offset }) => [partition, offset]));
  };
  const starts = await offsets(EARLIEST_TIMESTAMP);
  const ends = await offsets(LATEST_TIMESTAMP);
  const entries = await admin.describeConfigs({ type: 'topic', name });
  const own = entries.filter(({ isDefault }) => !isDefault);
  return {
    name,
    id,
    settings: Object.fromEntries(own.map((entry) => [entry.name, entry.value])),
    partitions: topic.partitions.map(({ partition, leaderId, replicas, isr }) => ({
      partition,
      leader: leaderId,
      replicas: replicas.join(','),
      isr: isr.join(','),
      start: starts.get(partition) ?? -1,
      end: ends.get(partition) ?? -1,
    })),
  };
}

/** `topics alter`. */
export async function alter(
  context: Context,
  name: string,
  options: ClientOptions & {
    readonly partitions?: number;
    readonly config?: readonly string[];
    readonly deleteConfig?: readonly string[];
  },
): Promise<number> {
  const set = settingsOf(options.config);
  const remove = options.deleteConfig ?? [];
  const { partitions } = options;
  const changesSettings = Object.keys(set).length + remove.length > 0;
  if (partitions === undefined && !changesSettings) {
    throw new UsageError('name what to change: --partitions, --config or --delete-config');
  }
  await withAdmin(context, options, async (admin) => {
    if (changesSettings) await admin.alterConfigs({ type: 'topic', name }, { set, remove });
    if (partitions !== undefined) await admin.createPartitions(name, partitions);
  });
  context.terminal.say(`topic ${name} is altered`);
  return ExitCode.done;
}

/** `topics delete`. */
export async function remove(
  context: Context,
  names: readonly string[],
  options: ClientOptions,
): Promise<number> {
  await withAdmin(context, options, async (admin) => {
    for (const name of names) {
      await admin.deleteTopic(name);
      context.terminal.say(`topic ${name} is deleted`);
    }
  });
  return ExitCode.done;
}
