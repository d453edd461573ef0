import { Argument, type Command, InvalidArgumentError, Option } from './commander.js';
import type { Context, Runner } from './context.js';
import { outputOption, timeoutOption } from './options.js';

function countArgument(text: string): number {
  if (/^\d{1,15}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError('Give a whole number above 0.');
}

function partitionArgument(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give the number of a partition, from 0.');
}

function settingArgument(text: string, earlier: readonly string[] = []): readonly string[] {
  if (/^[^=\s]+=/.test(text)) return [...earlier, text];
  throw new InvalidArgumentError('Give NAME=VALUE.');
}

const listArgument = (text: string, earlier: readonly string[] = []) => [...earlier, text];

function client(command: Command): Command {
  return command
    .addOption(
      new Option('-b, --bootstrap <addresses>', 'the brokers, host:port, with commas between')
        .env('LOGFLUME_BOOTSTRAP')
        .default('127.0.0.1:9092'),
    )
    .addOption(timeoutOption('10s'));
}

function addTopics(program: Command, context: Context, run: Runner): void {
  const topics = program.command('topics').description('list, create, describe, alter, delete');
  const load = () => import('./topics.js');
  client(topics.command('list').description('list all topics'))
    .addOption(outputOption())
    .option('--internal', 'list internal topics too')
    .action(run(async (options) => (await load()).list(context, options)));
  client(topics.command('create <topic...>').description('create topics'))
    .option('-p, --partitions <number>', 'partitions (default: the broker’s)', countArgument)
    .option('-r, --replication-factor <number>', 'copies (default: the broker’s)', countArgument)
    .option('--config <name=value>', 'a topic setting; may be repeated', settingArgument)
    .option('--if-not-exists', 'a topic that is there is no failure')
    .action(run(async (names, options) => (await load()).create(context, names, options)));
  client(topics.command('describe [topic...]').description('partitions and settings'))
    .addOption(outputOption())
    .action(run(async (names, options) => (await load()).describe(context, names, options)));
  client(topics.command('alter <topic>').description('add partitions, change settings'))
    .option('-p, --partitions <number>', 'grow to this many', countArgument)
    .option('--config <name=value>', 'set a topic setting; may be repeated', settingArgument)
    .option('--delete-config <name>', 'return a setting to its default', listArgument)
    .action(run(async (name, options) => (await load()).alter(context, name, options)));
  client(
    topics.command('delete <topic...>').description('delete topics with all their records'),
  ).action(run(async (names, options) => (await load()).remove(context, names, options)));
}

function addGroups(program: Command, context: Context, run: Runner): void {
  const groups = program.command('groups').description('list, describe, reset, delete');
  const load = () => import('./groups.js');
  client(groups.command('list').description('list all consumer groups'))
    .addOption(outputOption())
    .action(run(async (options) => (await load()).list(context, options)));
  client(groups.command('describe <group...>').description('members, offsets and lag'))
    .addOption(outputOption())
    .action(run(async (names, options) => (await load()).describe(context, names, options)));
  client(groups.command('reset <group>').description('move the offsets of a stopped group'))
    .requiredOption('--to <where>', 'earliest, latest, an offset, or a time (ISO 8601)')
    .option('-t, --topic <topic>', 'only this topic; may be repeated', listArgument)
    .option('--dry-run', 'only say what would change')
    .addOption(outputOption())
    .action(run(async (name, options) => (await load()).reset(context, name, options)));
  client(groups.command('delete <group...>').description('delete stopped groups')).action(
    run(async (names, options) => (await load()).remove(context, names, options)),
  );
}

function addRecords(program: Command, context: Context, run: Runner): void {
  client(program.command('produce <topic>').description('send lines of stdin, or of a file'))
    .addOption(
      new Option('-f, --follow <file>', 'send the lines that are appended to a file, for ever'),
    )
    .addOption(new Option('--file <file>', 'send a whole file as one record').conflicts('follow'))
    .option('-k, --key <key>', 'the key of every record')
    .option('--key-separator <text>', 'what stands before it in a line is the key')
    .option('-p, --partition <number>', 'the partition (default: by key)', partitionArgument)
    .addOption(
      new Option('-z, --compression <codec>')
        .choices(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
        .default('none'),
    )
    .addOption(new Option('--acks <acks>').choices(['0', '1', 'all']).default('all'))
    .action(
      run(async (topic, options) =>
        (await import('./produce.js')).produce(context, topic, options),
      ),
    );
  client(program.command('consume <topic>').description('print the records of a topic'))
    .option('--from <where>', 'beginning, end, an offset, or a time (ISO 8601)')
    .option('-g, --group <group>', 'consume as a member of this group, and commit')
    .option('-p, --partition <number>', 'only this partition', partitionArgument)
    .option('-n, --max <records>', 'stop after this many', countArgument)
    .option('-e, --exit-at-end', 'stop at the end that the topic has now')
    .addOption(outputOption())
    .action(
      run(async (topic, options) =>
        (await import('./consume.js')).consume(context, topic, options),
      ),
    );
}

function addDisks(program: Command, context: Context, run: Runner): void {
  const archive = program.command('archive').description('look at and prove archives');
  const of = (name: string, description: string) =>
    archive
      .command(name)
      .description(description)
      .addArgument(new Argument('[root]', 'the root of a local archive'))
      .option('-c, --config <file>', 'the archives of this YAML file instead')
      .option('-t, --topic <topic>', 'only this topic')
      .addOption(outputOption());
  of('list', 'list what an archive holds').action(
    run(async (root, options) => (await import('./archive.js')).list(context, root, options)),
  );
  of(
    'verify',
    'prove every file of an archive against its claims, and the claims against the topic',
  )
    .option('-b, --bootstrap <addresses>', 'brokers that have the topics; else those of the file')
    .addOption(timeoutOption('5s'))
    .option('--require-topic', 'a fault where it could not be compared with its topic')
    .action(
      run(async (root, options) => (await import('./archive.js')).verify(context, root, options)),
    );
  const log = program.command('log').description('look into the broker’s files; needs no broker');
  log
    .command('dump <directory>')
    .description('print batches and records of a partition’s folder or of one segment')
    .option('--no-records', 'print the batches only')
    .option('-n, --max <batches>', 'stop after this many', countArgument)
    .addOption(outputOption())
    .action(
      run(async (path, options) => (await import('./log-dump.js')).dump(context, path, options)),
    );
  log
    .command('verify <directory>')
    .description('check every batch below a folder; changes nothing')
    .addOption(outputOption())
    .action(
      run(async (path, options) =>
        (await import('./log-verify.js')).verify(context, path, options),
      ),
    );
}

/** Adds the commands that talk to a broker, and those that read the disk without one. */
export function addClientCommands(program: Command, context: Context, run: Runner): void {
  addTopics(program, context, run);
  addGroups(program, context, run);
  addRecords(program, context, run);
  addDisks(program, context, run);
  client(program.command('status').description('what is wrong, roles, brokers, topics, groups'))
    .option('-c, --config <file>', 'ask the roles of this YAML file too, and its brokers')
    .addOption(outputOption())
    .action(
      run(async (options, command) => {
        const bootstrapGiven = command.getOptionValueSource('bootstrap') !== 'default';
        return (await import('./status.js')).status(context, { ...options, bootstrapGiven });
      }),
    );
}
