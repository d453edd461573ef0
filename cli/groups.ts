import {
  type Admin,
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  type TopicPartitionOffset,
} from '../client/index.js';
import type { ClientOptions } from './client-options.js';
import { withAdmin } from './clients.js';
import type { Context } from './context.js';
import { CommandError, ExitCode } from './failure.js';
import { lagsOf } from './group-lag.js';
import { table } from './table.js';
import { parseWhere, type Where } from './where.js';

/** `groups list`. */
export async function list(context: Context, options: ClientOptions): Promise<number> {
  const { terminal } = context;
  const groups = await withAdmin(context, options, (admin) => admin.listGroups());
  if (options.output === 'json') {
    for (const group of groups) await terminal.data(`${JSON.stringify(group)}\n`);
    return ExitCode.done;
  }
  const rows = groups.map(({ groupId, state, protocolType }) => [groupId, state, protocolType]);
  await terminal.data(table(['GROUP', 'STATE', 'PROTOCOL'], rows));
  return ExitCode.done;
}

/** `groups describe`: members, offsets and lag. */
export async function describe(
  context: Context,
  names: readonly string[],
  options: ClientOptions,
): Promise<number> {
  const { terminal } = context;
  await withAdmin(context, options, async (admin) => {
    for (const name of names) {
      const group = await admin.describeGroup(name);
      const offsets = await lagsOf(admin, name);
      if (options.output === 'json') {
        await terminal.data(`${JSON.stringify({ ...group, offsets })}\n`);
        continue;
      }
      const assignor = group.assignor ? `, assignor ${group.assignor}` : '';
      await terminal.data(`${name}  ${group.state}${assignor}\n`);
      const owner = (topic: string, partition: number) =>
        group.members.find((member) =>
          member.assignment.some((at) => at.topic === topic && at.partition === partition),
        );
      const rows = offsets.map(({ topic, partition, committed, end, lag }) => {
        const member = owner(topic, partition);
        const words = member ? `${member.groupInstanceId ?? member.memberId}` : '';
        return [topic, partition, committed, end, lag, words, member?.clientHost ?? ''];
      });
      const titles = ['TOPIC', 'PARTITION', 'COMMITTED', 'END', 'LAG', 'MEMBER', 'HOST'];
      await terminal.data(table(titles, rows));
    }
  });
  return ExitCode.done;
}

/** `groups reset`: moves the offsets of a group that has no members. */
export async function reset(
  context: Context,
  name: string,
  options: ClientOptions & {
    readonly to: string;
    readonly topic?: readonly string[];
    readonly dryRun?: boolean;
  },
): Promise<number> {
  const { terminal } = context;
  const where = parseWhere('--to', options.to);
  await withAdmin(context, options, async (admin) => {
    const topics = options.topic ?? (await topicsOf(admin, name));
    const offsets = await offsetsAt(admin, topics, where);
    if (options.dryRun !== true) await admin.resetGroup(name, offsets);
    if (options.output === 'json') {
      for (const offset of offsets) await terminal.data(`${JSON.stringify(offset)}\n`);
      return;
    }
    const rows = offsets.map(({ topic, partition, offset }) => [topic, partition, offset]);
    await terminal.data(table(['TOPIC', 'PARTITION', 'OFFSET'], rows));
  });
  if (options.dryRun === true) terminal.say('nothing was changed');
  return ExitCode.done;
}

/** The topics that a group has read. */
async function topicsOf(admin: Admin, name: string): Promise<string[]> {
  const committed = await admin.groupOffsets(name);
  if (committed.length > 0) return [...new Set(committed.map(({ topic }) => topic))];
  throw new CommandError(`group ${name} has no offsets; name the topics with --topic`);
}

/** The offsets at a place of every partition; an offset beyond an end becomes that end. */
async function offsetsAt(
  admin: Admin,
  topics: readonly string[],
  where: Where,
): Promise<TopicPartitionOffset[]> {
  const partitions: { topic: string; partition: number }[] = [];
  for (const topic of topics) {
    const found = await admin.describeTopic(topic);
    for (const { partition } of found.partitions) partitions.push({ topic, partition });
  }
  const lookUp = async (timestamp: number) =>
    (await admin.listOffsets(partitions.map((at) => ({ ...at, timestamp })))).map(
      ({ offset }) => offset,
    );
  const starts = await lookUp(EARLIEST_TIMESTAMP);
  const ends = await lookUp(LATEST_TIMESTAMP);
  const wanted = typeof where === 'object' ? await lookUp(where.timestamp) : [];
  return partitions.map((at, index) => {
    const start = starts[index] ?? 0;
    const end = ends[index] ?? 0;
    if (where === 'beginning') return { ...at, offset: start };
    const offset = typeof where === 'number' ? where : (wanted[index] ?? -1);
    // A time after the last record has no offset: that is the end.
    const isEnd = where === 'end' || offset < 0;
    return { ...at, offset: isEnd ? end : Math.min(Math.max(offset, start), end) };
  });
}

/** `groups delete`. */
export async function remove(
  context: Context,
  names: readonly string[],
  options: ClientOptions,
): Promise<number> {
  await withAdmin(context, options, async (admin) => {
    for (const name of names) {
      await admin.deleteGroup(name);
      context.terminal.say(`group ${name} is deleted`);
    }
  });
  return ExitCode.done;
}
