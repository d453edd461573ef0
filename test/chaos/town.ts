import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../peers/apache-kafka.js';
import { logflume, temporaryFolder, writeConfig } from '../peers/logflume.js';
import type { Program } from '../peers/process.js';

export type Role = 'broker' | 'agent' | 'sinks';

/** Lines each file gets per turn of the writer, and the pause between turns. */
const LINES_PER_TURN = 20;
const TURN_MS = 10;
/** After so many lines a file is rotated: renamed, and begun anew. */
const LINES_PER_GENERATION = 4_000;
const READY_MS = 20_000;

/**
 * Broker, agent and sinks as processes of their own on one folder, and a writer that plays the
 * application. Roles are killed with SIGKILL and started again; nothing else helps them.
 */
export class Town {
  readonly folder = temporaryFolder('chaos');
  readonly files: readonly string[];
  private readonly logs = join(this.folder.path, 'logs');
  private readonly archive = join(this.folder.path, 'archive');
  private readonly written = new Map<string, number>();
  private readonly programs = new Map<Role, Program>();
  private readonly history: { readonly time: number; readonly lines: number }[] = [];
  private config = '';
  private writer: NodeJS.Timeout | undefined;

  constructor(fileCount: number) {
    this.files = Array.from({ length: fileCount }, (_, index) => `app-${index}.log`);
  }

  async start(): Promise<void> {
    mkdirSync(this.logs);
    const port = await freePort();
    this.config = writeConfig(this.folder.path, 'chaos.yaml', {
      data_dir: join(this.folder.path, 'data'),
      broker: {
        listeners: [{ listen: `127.0.0.1:${port}` }],
        // Small segments: kills fall between rolls, too.
        properties: { 'log.segment.bytes': 1_048_576 },
        topics: { 'app-logs': { partitions: 2 } },
      },
      kafka: { bootstrap: [`127.0.0.1:${port}`] },
      agent: {
        producer: { linger: '5ms' },
        sources: { app: { type: 'file', include: [join(this.logs, '*.log*')], topic: 'app-logs' } },
      },
      sinks: {
        archive: {
          type: 'archive',
          topics: ['app-logs'],
          store: { type: 'local', root: this.archive },
          format: 'lines',
          file_per: 'key',
          compression: 'none',
          rotate: { age: '500ms', idle: '200ms' },
        },
      },
    });
    for (const role of ['broker', 'agent', 'sinks'] as const) await this.startRole(role);
    this.writer = setInterval(() => this.write(), TURN_MS);
  }

  /** Starts a role and waits until it says that it runs. */
  async startRole(role: Role): Promise<void> {
    const program = logflume([role, '-c', this.config]);
    this.programs.set(role, program);
    await program.until(/is running/, READY_MS);
  }

  /** kill -9; resolves when the process is gone. */
  async kill(role: Role): Promise<void> {
    await this.programs.get(role)?.stop('SIGKILL');
  }

  /** Lines written so far, over all files. */
  get linesWritten(): number {
    return [...this.written.values()].reduce((sum, lines) => sum + lines, 0);
  }

  /** Lines written within the last `periodMs`. */
  linesOfLast(periodMs: number): number {
    const since = Date.now() - periodMs;
    const before = this.history.findLast(({ time }) => time <= since)?.lines ?? 0;
    return this.linesWritten - before;
  }

  /** Waits until all that is written by now is in the archive. */
  async recovered(limitMs = 30_000): Promise<void> {
    const goal = new Map(this.written);
    const missing = () =>
      [...goal].filter(([file, lines]) => (this.archived(file).at(-1) ?? 0) < lines);
    await eventually(limitMs, () => {
      const late = missing().map(
        ([file, lines]) => `${file} is at ${this.archived(file).at(-1)} of ${lines}`,
      );
      return late.length === 0 ? undefined : late.join(', ');
    });
  }

  /** Ends the writer and waits for its last line. */
  async finish(): Promise<void> {
    clearInterval(this.writer);
    await this.recovered();
  }

  /** Stops everything in order; the roles must end by themselves, with exit code 0. */
  async stop(): Promise<Record<Role, number | null>> {
    const codes: Partial<Record<Role, number | null>> = {};
    for (const role of ['agent', 'sinks', 'broker'] as const) {
      codes[role] = (await this.programs.get(role)?.stop()) ?? null;
    }
    return codes as Record<Role, number | null>;
  }

  /** The archive against its own claims, by our own command. */
  async verify(): Promise<void> {
    const program = logflume(['archive', 'verify', this.archive]);
    if ((await program.exited) !== 0) throw new Error(`${program.stdout}\n${program.stderr}`);
  }

  /** LOGFLUME_KEEP=1 leaves the folder to be looked at. */
  async remove(): Promise<void> {
    clearInterval(this.writer);
    for (const program of this.programs.values()) await program.stop('SIGKILL');
    if (process.env.LOGFLUME_KEEP === '1') console.log(`kept: ${this.folder.path}`);
    else this.folder.remove();
  }

  /** What the roles said on stderr since their last start. */
  words(): string {
    return [...this.programs]
      .map(([role, { stderr }]) => `--- ${role}\n${stderr.slice(-4_000)}`)
      .join('\n');
  }

  linesOf(file: string): number {
    return this.written.get(file) ?? 0;
  }

  /** The numbers of a file's lines as the archive has them, in its order. */
  archived(file: string): number[] {
    const text = this.archiveFiles(file).map((path) => readFileSync(path, 'utf8'));
    const numbers: number[] = [];
    for (const line of text.join('').split('\n')) {
      if (line === '') continue;
      const match = /^(app-\d+\.log) (\d+) x+$/.exec(line);
      if (match === null || match[1] !== file) throw new Error(`not a line of ${file}: ${line}`);
      numbers.push(Number(match[2]));
    }
    return numbers;
  }

  /** The final files of a source, in the order of their offsets. */
  private archiveFiles(file: string): string[] {
    const found: { path: string; order: string }[] = [];
    const walk = (directory: string): void => {
      for (const name of readdirSync(directory)) {
        if (name.startsWith('_') || name.startsWith('.')) continue;
        const path = join(directory, name);
        if (statSync(path).isDirectory()) {
          walk(path);
          continue;
        }
        const match = /\+(\d+)\+(\d{20})\+\d{20}\.log$/.exec(name);
        if (match === null) throw new Error(`not a file of the archive's layout: ${path}`);
        if (name.includes(file)) found.push({ path, order: `${match[1]}+${match[2]}` });
      }
    };
    const topic = join(this.archive, 'app-logs');
    if (statSync(topic, { throwIfNoEntry: false }) !== undefined) walk(topic);
    return found.sort((a, b) => (a.order < b.order ? -1 : 1)).map(({ path }) => path);
  }

  private write(): void {
    this.history.push({ time: Date.now(), lines: this.linesWritten });
    for (const file of this.files) {
      const path = join(this.logs, file);
      let line = this.linesOf(file);
      const text: string[] = [];
      for (let i = 0; i < LINES_PER_TURN; i++) {
        line += 1;
        text.push(`${file} ${line} ${'x'.repeat(20 + (line % 100))}\n`);
      }
      appendFileSync(path, text.join(''));
      this.written.set(file, line);
      if (line % LINES_PER_GENERATION === 0) renameSync(path, `${path}.${line}`);
    }
  }
}

/** Numbers that were said before; throws where one is missing or comes too early. */
export function repeats(numbers: readonly number[], last: number): number {
  let seen = 0;
  let repeated = 0;
  let previous = 0;
  for (const number of numbers) {
    const repeat = number <= seen;
    if (number !== previous + 1 && !repeat) {
      throw new Error(`line ${number} follows line ${previous}: lost or out of order`);
    }
    if (repeat) repeated += 1;
    else seen = number;
    previous = number;
  }
  if (seen !== last) throw new Error(`the last of ${last} lines is ${seen}`);
  return repeated;
}

/** Polls until nothing is wrong: files come by the work of others, which nothing announces. */
async function eventually(limitMs: number, wrong: () => string | undefined): Promise<void> {
  const deadline = Date.now() + limitMs;
  for (let what = wrong(); what !== undefined; what = wrong()) {
    if (Date.now() > deadline) throw new Error(`still so after ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
