import {
  type ArchivedFile,
  listArchive,
  openStore,
  type StoreConfig,
  verifyArchive,
} from '../sinks/index.js';
import type { Context } from './context.js';
import { CommandError, ExitCode, UsageError } from './failure.js';
import { table } from './table.js';
import { loadWholeConfig } from './whole-config.js';

/** Options of `archive list` and `archive verify`. */
export interface ArchiveOptions {
  readonly config?: string;
  readonly topic?: string;
  readonly output: 'text' | 'json';
}

interface NamedStore {
  /** What to call it: its root. */
  readonly name: string;
  readonly config: StoreConfig;
}

/** The archives meant: the given root, or those of a YAML file, each once. */
async function storesOf(
  context: Context,
  root: string | undefined,
  options: ArchiveOptions,
): Promise<NamedStore[]> {
  if (root !== undefined) {
    return [{ name: root, config: { type: 'local', root } }];
  }
  if (options.config === undefined) {
    throw new UsageError('name the root of an archive, or a file with --config');
  }
  const { config } = await loadWholeConfig(context, options.config);
  const sinks = (config.sinks ?? {}) as Record<string, { type: string; store?: StoreConfig }>;
  const stores = Object.values(sinks).flatMap(({ store }) => (store ? [store] : []));
  if (stores.length === 0) throw new CommandError(`${options.config} has no archive sink`);
  return [...new Map(stores.map((store) => [store.root, { name: store.root, config: store }]))].map(
    ([, store]) => store,
  );
}

/** Says so where an archive is not there: nothing would look like an archive without a fault. */
function isThere({ system, terminal }: Context, { name, config }: NamedStore): boolean {
  if (system.disk.statSync(config.root)?.kind === 'directory') return true;
  terminal.say(`logflume: ${name}: there is no such directory`);
  return false;
}

function opened({ system }: Context, store: NamedStore) {
  return openStore(system, store.config, `cli-${system.processes.pid}`);
}

/** `archive list`: every file, as its claim describes it. */
export async function list(
  context: Context,
  root: string | undefined,
  options: ArchiveOptions,
): Promise<number> {
  const { terminal } = context;
  let absent = 0;
  for (const store of await storesOf(context, root, options)) {
    if (!isThere(context, store)) {
      absent++;
      continue;
    }
    const files = await listArchive(opened(context, store), { topic: options.topic });
    if (options.output === 'json') {
      for (const file of files) {
        await terminal.data(`${JSON.stringify({ root: store.name, ...file })}\n`);
      }
      continue;
    }
    const titles = ['STATE', 'PARTITION', 'START', 'END', 'RECORDS', 'BYTES', 'STORED', 'FILE'];
    await terminal.data(table(titles, files.map(rowOf)));
    const records = files.reduce((sum, file) => sum + file.records, 0);
    terminal.say(`${store.name}: ${files.length} files, ${records} records`);
  }
  return absent === 0 ? ExitCode.done : ExitCode.failed;
}

function rowOf(file: ArchivedFile): readonly unknown[] {
  const stored = file.storedBytes ?? '';
  const { state, partition, start, end, records, bytes, name } = file;
  return [state, partition, start, end, records, bytes, stored, name];
}

/** `archive verify`: reads every file back and compares it with its claim. */
export async function verify(
  context: Context,
  root: string | undefined,
  options: ArchiveOptions,
): Promise<number> {
  const { terminal } = context;
  const { topic } = options;
  let faults = 0;
  let chains = 0;
  for (const store of await storesOf(context, root, options)) {
    if (!isThere(context, store)) {
      faults++;
      continue;
    }
    const report = await verifyArchive(opened(context, store), { topic });
    faults += report.problems.length;
    chains += report.chains;
    if (options.output === 'json') {
      await terminal.data(`${JSON.stringify({ root: store.name, ...report })}\n`);
      continue;
    }
    for (const { kind, name, message } of report.problems) {
      await terminal.data(`${kind}: ${name}: ${message}\n`);
    }
    for (const loss of report.acceptedLosses) terminal.say(`given up by a person: ${loss}`);
    const outcome =
      report.problems.length === 0 ? 'all good' : `${report.problems.length} at fault`;
    const open = report.openClaims > 0 ? `, ${report.openClaims} claims still open` : '';
    terminal.say(
      `${store.name}: ${report.claims} claims, ${report.files} files, ${report.records} records, ` +
        `${report.bytes} bytes of content${open}: ${outcome}`,
    );
  }
  if (topic !== undefined && chains === 0 && faults === 0) {
    throw new CommandError(`there is no topic ${topic} in what was looked at`);
  }
  return faults === 0 ? ExitCode.done : ExitCode.failed;
}
