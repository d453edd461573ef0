import { posix } from 'node:path';
import { loadCodec } from '../../protocol/records/index.js';
import type { Store } from '../../sinks/index.js';
import type { Disk } from '../../system/index.js';
import { type ArchiveFile, listArchive, readArchiveFile } from './archive-reader.js';
import { LineComparison, type LineVerdict } from './compare.js';
import { hashOf, type JournalContent, type JournaledMail, readJournal } from './journal.js';
import { chunksOf, Lines, linesOf } from './lines.js';

/** Where something of the demo ended up. */
export interface DemoArchive {
  readonly store: Store;
  readonly topic: string;
}

/** What is compared with what. */
export interface Evidence {
  /** The writer's journal. */
  readonly journal: string;
  readonly logs: DemoArchive | undefined;
  readonly mails: DemoArchive | undefined;
  /** Ids of the topics as they are now; files of re-created topics are not looked at. */
  readonly topicIds?: readonly string[];
}

/** The comparison's outcome, in words and as a judgement. */
export interface Verdict {
  /** Every byte is there, in order; what is there twice is explained by an agent's death. */
  readonly good: boolean;
  readonly lines: readonly string[];
}

interface Archived {
  readonly files: readonly ArchiveFile[];
  read(file: ArchiveFile): Promise<Buffer>;
}

/** Reads journal and archives and compares them, line by line and mail by mail. */
export async function judge(disk: Disk, evidence: Evidence): Promise<Verdict> {
  await loadCodec('zstd');
  const journal = readJournal(disk, evidence.journal);
  const known = (file: ArchiveFile) =>
    evidence.topicIds === undefined || evidence.topicIds.some((id) => id.startsWith(file.topicId));
  const archived = async ({ store, topic }: DemoArchive): Promise<Archived> => ({
    files: (await listArchive(store, topic)).filter(known),
    read: (file) => readArchiveFile(store, file),
  });
  const parts: Verdict[] = [];
  if (evidence.logs) parts.push(await judgeLogs(disk, journal, await archived(evidence.logs)));
  if (evidence.mails) parts.push(await judgeMails(journal, await archived(evidence.mails)));
  return { good: parts.every((part) => part.good), lines: parts.flatMap((part) => part.lines) };
}

/** The log file that a key (`host:path`) means, by the name the application gave it. */
function logNameOf(key: string | undefined): string {
  return posix.basename((key ?? '').replaceAll('\\', '/').replace(/^.*:/, ''));
}

async function judgeLogs(
  disk: Disk,
  journal: JournalContent,
  { files, read }: Archived,
): Promise<Verdict> {
  const lines: string[] = [];
  let good = true;
  for (const log of journal.logs) {
    const comparison = new LineComparison(linesOf(chunksOf(disk, log.path)));
    const own = files.filter((file) => logNameOf(file.key) === log.name);
    const archived = new Lines();
    for (const file of own) {
      for (const line of archived.push(await read(file))) comparison.push(line);
    }
    for (const line of archived.end()) comparison.push(line);
    const verdict = comparison.end();
    const explained = verdict.repeatRuns <= journal.agentDeaths;
    if (damageOf(verdict) > 0 || !explained) good = false;
    lines.push(...reportOf(log.name, verdict, journal.agentDeaths));
  }
  const names = new Set(journal.logs.map(({ name }) => name));
  const strangers = files.filter((file) => !names.has(logNameOf(file.key)));
  for (const key of new Set(strangers.map((file) => file.key ?? '(no key)'))) {
    good = false;
    lines.push(`${key}: is in the archive, but the writer never wrote such a file`);
  }
  return { good, lines };
}

function damageOf(verdict: LineVerdict): number {
  return verdict.missing + verdict.foreign + verdict.outOfOrder;
}

function reportOf(name: string, verdict: LineVerdict, deaths: number): string[] {
  const lines = [`${name}: ${verdict.equal} lines as written`];
  if (verdict.repeats > 0) {
    const cause =
      verdict.repeatRuns <= deaths
        ? `explained by ${deaths} ${deaths === 1 ? 'death' : 'deaths'} of the agent`
        : `not explained: the agent died ${deaths} times`;
    lines.push(
      `${name}: ${verdict.repeats} lines are there twice, in ${verdict.repeatRuns} runs (${cause})`,
    );
  }
  if (damageOf(verdict) > 0) {
    const { missing, foreign, outOfOrder } = verdict;
    lines.push(
      `${name}: ${missing} lines missing, ${foreign} altered or foreign, ` +
        `${outOfOrder} out of order`,
      ...verdict.examples.map((example) => `${name}: ${example}`),
    );
  }
  return lines;
}

async function judgeMails(journal: JournalContent, { files, read }: Archived): Promise<Verdict> {
  const copies = new Map<string, number>();
  for (const file of files) {
    const hash = hashOf(await read(file));
    copies.set(hash, (copies.get(hash) ?? 0) + 1);
  }
  const written = new Map<string, JournaledMail>(journal.mails.map((mail) => [mail.sha256, mail]));
  const missing = journal.mails.filter((mail) => !copies.has(mail.sha256));
  const foreign = [...copies.keys()].filter((hash) => !written.has(hash)).length;
  let repeats = 0;
  for (const count of copies.values()) repeats += count - 1;
  const explained = repeats === 0 || journal.agentDeaths > 0;
  const lines = [`mails: ${journal.mails.length - missing.length} as written`];
  if (repeats > 0) {
    const cause = explained ? 'explained by a death of the agent' : 'not explained';
    lines.push(`mails: ${repeats} are there twice (${cause})`);
  }
  if (missing.length + foreign > 0) {
    lines.push(`mails: ${missing.length} missing, ${foreign} altered or foreign`);
    lines.push(...missing.slice(0, 3).map((mail) => `mails: ${mail.name} is missing`));
  }
  return { good: missing.length + foreign === 0 && explained, lines };
}
