import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Disk, DiskFile } from '../../system/index.js';

/** One mail as it was dropped. */
export interface JournaledMail {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** sha256 in hex. */
export function hashOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** An append-only file; what was appended survives kill -9. */
class AppendFile {
  readonly #file: DiskFile;
  #size: number;

  constructor(disk: Disk, path: string) {
    this.#file = disk.openSync(path, 'a+');
    this.#size = this.#file.statSync().size;
  }

  append(bytes: Uint8Array): void {
    this.#file.writeSync([bytes], this.#size);
    this.#size += bytes.length;
  }

  close(): void {
    this.#file.closeSync();
  }
}

/**
 * What the writer wrote, kept apart from all that carries it: per log file every byte over all
 * its generations (`<name>.bytes`), every mail (`mails.jsonl`), and each death of an agent, which
 * alone may explain a repeated line (`deaths.jsonl`).
 */
export class Journal {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #open = new Map<string, AppendFile>();

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
    disk.makeDirectorySync(directory);
  }

  /** Notes bytes that were appended to a log file, under the name the application gave it. */
  wrote(logName: string, bytes: Uint8Array): void {
    this.#file(bytesFile(logName)).append(bytes);
  }

  /** Notes a mail that was dropped. */
  dropped(mail: JournaledMail): void {
    this.#file(MAILS).append(Buffer.from(`${JSON.stringify(mail)}\n`));
  }

  /** Notes that an agent died without having been asked to stop. */
  agentDied(atMs: number): void {
    this.#file(DEATHS).append(Buffer.from(`${JSON.stringify({ at: atMs })}\n`));
  }

  /** Whether the run before this one ended without `finished`; from now on this one counts. */
  begin(): boolean {
    const path = join(this.#directory, UNFINISHED);
    const wasUnfinished = this.#disk.statSync(path) !== undefined;
    this.#disk.replaceFileSync(path, '');
    return wasUnfinished;
  }

  /** Notes that the agent was drained: whatever it sent, it remembers having sent. */
  finished(): void {
    this.#disk.removeSync(join(this.#directory, UNFINISHED));
  }

  #file(name: string): AppendFile {
    let file = this.#open.get(name);
    if (!file) {
      file = new AppendFile(this.#disk, join(this.#directory, name));
      this.#open.set(name, file);
    }
    return file;
  }
}

const MAILS = 'mails.jsonl';
const DEATHS = 'deaths.jsonl';
const UNFINISHED = 'unfinished';
const bytesFile = (logName: string) => `${logName}.bytes`;

function readIfThere(disk: Disk, path: string): Buffer {
  return disk.statSync(path) ? disk.readFileSync(path) : Buffer.alloc(0);
}

function linesOf(content: Buffer): string[] {
  return content
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** A journal read back. */
export interface JournalContent {
  /** The log files' names, and the path of the bytes written to each. */
  readonly logs: readonly { readonly name: string; readonly path: string }[];
  readonly mails: readonly JournaledMail[];
  readonly agentDeaths: number;
}

/** Reads a journal; one that is not there is empty. */
export function readJournal(disk: Disk, directory: string): JournalContent {
  const names = disk.statSync(directory) ? disk.listSync(directory) : [];
  return {
    logs: names
      .filter((name) => name.endsWith('.bytes'))
      .map((name) => ({ name: name.slice(0, -'.bytes'.length), path: join(directory, name) })),
    mails: linesOf(readIfThere(disk, join(directory, MAILS))).map(
      (line) => JSON.parse(line) as JournaledMail,
    ),
    agentDeaths: linesOf(readIfThere(disk, join(directory, DEATHS))).length,
  };
}
