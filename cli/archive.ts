import { Admin } from '../client/index.js';
import {
  type ArchivedFile,
  type ClusterLook,
  directoryArchive,
  listArchive,
  lookAtCluster,
  verifyArchive,
} from '../sinks/index.js';
import { archivesOfFile, type NamedArchive, opened } from './archive-stores.js';
import type { Context } from './context.js';
import { CommandError, ExitCode, UsageError, words } from './failure.js';
import { table } from './table.js';
import { loadWholeConfig } from './whole-config.js';

/** Options of `archive list` and `archive verify`. */
export interface ArchiveOptions {
  readonly config?: string;
  readonly topic?: string;
  readonly output: 'text' | 'json';
}

/** Options of `archive verify`. */
export interface VerifyOptions extends ArchiveOptions {
  readonly bootstrap?: string;
  /** How long the brokers may take. */
  readonly timeout: number;
  /** What could not be compared with its topic is a fault. */
  readonly requireTopic?: boolean;
}

/** How often progress is told where nobody looks at a terminal. */
const PROGRESS_MS = 10_000;
/** How often a terminal's line changes. */
const LINE_MS = 200;

/** The archives meant: the given root, or those of a YAML file, each once. */
async function archivesMeant(
  context: Context,
  root: string | undefined,
  options: ArchiveOptions,
): Promise<NamedArchive[]> {
  if (root !== undefined) {
    return [{ ...directoryArchive(root), sinks: [], bootstrap: undefined }];
  }
  if (options.config === undefined) {
    throw new UsageError('name the root of an archive, or a file with --config');
  }
  const archives = archivesOfFile(await loadWholeConfig(context, options.config));
  if (archives.length === 0) throw new CommandError(`${options.config} has no archive sink`);
  return archives;
}

/** Says so where an archive is not there: nothing would look like an archive without a fault. */
async function isThere({ system, terminal }: Context, { place }: NamedArchive): Promise<boolean> {
  if (await place.isPresent(system)) return true;
  terminal.say(`logflume: ${place.name}: there is no such ${place.kind}`);
  return false;
}

/** `archive list`: every file, as its claim describes it. */
export async function list(
  context: Context,
  root: string | undefined,
  options: ArchiveOptions,
): Promise<number> {
  const { terminal } = context;
  let absent = 0;
  for (const archive of await archivesMeant(context, root, options)) {
    if (!(await isThere(context, archive))) {
      absent++;
      continue;
    }
    const { name } = archive.place;
    const files = await listArchive(opened(context.system, archive), { topic: options.topic });
    if (options.output === 'json') {
      for (const file of files) {
        await terminal.data(`${JSON.stringify({ root: name, ...file })}\n`);
      }
      continue;
    }
    const titles = ['STATE', 'PARTITION', 'START', 'END', 'RECORDS', 'BYTES', 'STORED', 'FILE'];
    await terminal.data(table(titles, files.map(rowOf)));
    const records = files.reduce((sum, file) => sum + file.records, 0);
    terminal.say(`${name}: ${files.length} files, ${records} records`);
  }
  return absent === 0 ? ExitCode.done : ExitCode.failed;
}

function rowOf(file: ArchivedFile): readonly unknown[] {
  const stored = file.storedBytes ?? '';
  const { state, partition, start, end, records, bytes, name } = file;
  return [state, partition, start, end, records, bytes, stored, name];
}

/**
 * `archive verify`: reads every file back and compares it with its claim, and the claims with their
 * topics where a broker answers.
 */
export async function verify(
  context: Context,
  root: string | undefined,
  options: VerifyOptions,
): Promise<number> {
  const { topic } = options;
  let faults = 0;
  let chains = 0;
  for (const archive of await archivesMeant(context, root, options)) {
    if (!(await isThere(context, archive))) {
      faults++;
      continue;
    }
    const { name } = archive.place;
    const report = await verifyArchive(opened(context.system, archive), {
      topic,
      sinks: archive.sinks.map(({ sink }) => sink),
      look: (sinks) => lookFor(context, archive, options, sinks),
      onFile: progressOf(context, name),
    });
    const unknown = report.partitions.flatMap((at) => at.unknown ?? []);
    faults += report.problems.length + (options.requireTopic === true ? unknown.length : 0);
    chains += report.chains;
    await tell(context, name, report, options);
  }
  if (topic !== undefined && chains === 0 && faults === 0) {
    throw new CommandError(`there is no topic ${topic} in what was looked at`);
  }
  return faults === 0 ? ExitCode.done : ExitCode.failed;
}

type Report = Awaited<ReturnType<typeof verifyArchive>>;

async function tell(
  { terminal }: Context,
  name: string,
  report: Report,
  { output, requireTopic = false }: VerifyOptions,
): Promise<void> {
  const { problems, partitions, openClaims } = report;
  const unknown = partitions.flatMap((at) => at.unknown ?? []);
  if (output === 'json') {
    await terminal.data(`${JSON.stringify({ root: name, ...report })}\n`);
  } else {
    for (const { kind, name: where, message } of problems) {
      await terminal.data(`${kind}: ${where}: ${message}\n`);
    }
  }
  for (const loss of report.acceptedLosses) terminal.say(`given up by a person: ${loss}`);
  for (const sentence of unknown) {
    terminal.say(`${requireTopic ? 'not proven' : 'not known'}: ${sentence}`);
  }
  const waiting = partitions.reduce((sum, { lag = 0 }) => sum + lag, 0);
  const bad = problems.length + (requireTopic ? unknown.length : 0);
  const parts = [
    `${report.claims} claims`,
    `${report.files} files`,
    `${report.records} records`,
    `${report.bytes} bytes of content`,
    ...(openClaims > 0 ? [`${openClaims} claims still open`] : []),
    ...(waiting > 0 ? [`${waiting} offsets of the topics not archived yet`] : []),
  ];
  const good = unknown.length === 0 ? 'all good' : 'all good as far as the claims reach';
  terminal.say(`${name}: ${parts.join(', ')}: ${bad === 0 ? good : `${bad} at fault`}`);
}

/** What the cluster says, or why it says nothing. */
async function lookFor(
  { system }: Context,
  archive: NamedArchive,
  { bootstrap: given, timeout, topic }: VerifyOptions,
  found: readonly string[],
): Promise<ClusterLook | string> {
  const bootstrap = given?.split(',') ?? archive.bootstrap;
  if (bootstrap === undefined) return 'no broker was named (--bootstrap, or --config)';
  const admin = new Admin({ bootstrap, timeoutMs: timeout, clientId: 'logflume-cli' }, system);
  const sinks = [...archive.sinks];
  for (const sink of found) {
    const group = `logflume-${sink}`;
    if (!sinks.some((each) => each.sink === sink && each.group === group)) {
      sinks.push({ sink, group });
    }
  }
  try {
    return await lookAtCluster(admin, sinks, (name) => topic === undefined || name === topic);
  } catch (error) {
    return `${bootstrap.join(',')}: ${words(error)}`;
  } finally {
    admin.close();
  }
}

/** A line on a terminal; elsewhere a word every few seconds. */
function progressOf({ system, terminal }: Context, name: string) {
  let saidMs = system.clock.monotonic();
  return ({ files, bytes }: { readonly files: number; readonly bytes: number }): void => {
    const nowMs = system.clock.monotonic();
    if (nowMs - saidMs < (terminal.interactive ? LINE_MS : PROGRESS_MS)) return;
    saidMs = nowMs;
    const line = `${name}: ${files} files, ${Math.round(bytes / 1_000_000)} MB read and compared`;
    if (terminal.interactive) terminal.status(line);
    else terminal.say(line);
  };
}
