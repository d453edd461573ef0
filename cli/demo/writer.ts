import { join } from 'node:path';
import type { System, Timer } from '../../system/index.js';
import { hashOf, Journal } from './journal.js';
import { DemoLogFile } from './log-file.js';
import type { DemoConfig } from './section.js';
import { logLine, mailText } from './words.js';

const TICK_MS = 50;

/** Where a demo's journal stands. */
export function journalDirectory(config: DemoConfig): string {
  return join(config.directory, 'journal');
}

/**
 * Plays the application: appends log lines and rotates the files, drops mails; and notes all of
 * it in the journal. The application's file is written first, the journal right after it.
 */
export class DemoWriter {
  /** Since this writer started. */
  lines = 0;
  mails = 0;
  readonly #system: System;
  readonly #config: DemoConfig;
  readonly #journal: Journal;
  readonly #files: readonly DemoLogFile[];
  #timer: Timer | undefined;
  #lastMs = 0;
  /** Lines that are due, with the fraction that the rate leaves over. */
  #due = 0;
  #nextRotationMs = 0;
  #rotated = 0;
  #nextMailMs = 0;
  /** Number of the next line or mail; higher than any of an earlier run. */
  #id: number;

  constructor(system: System, config: DemoConfig) {
    const { disk, clock } = system;
    this.#system = system;
    this.#config = config;
    this.#journal = new Journal(disk, journalDirectory(config));
    this.#files = config.logs ? openLogs(system, config.logs.directory, config.logs.keep) : [];
    if (config.mails) {
      disk.makeDirectorySync(config.mails.directory);
      disk.makeDirectorySync(this.#staging());
    }
    this.#id = clock.now() * 1000;
    if (this.#journal.begin()) this.agentDied();
  }

  /** Starts to write; `onError` is told once where the disk refuses. */
  start(onError: (error: unknown) => void): void {
    this.#lastMs = this.#system.clock.monotonic();
    this.#nextRotationMs = this.#lastMs + (this.#config.logs?.rotate_every ?? 0);
    this.#nextMailMs = this.#lastMs;
    this.#tickSoon(onError);
  }

  #tickSoon(onError: (error: unknown) => void): void {
    this.#timer = this.#system.clock.after(TICK_MS, () => {
      try {
        this.#tick();
        this.#tickSoon(onError);
      } catch (error) {
        this.#timer = undefined;
        onError(error);
      }
    });
  }

  /** Notes that an agent died: from now on lines may be there twice. */
  agentDied(): void {
    this.#journal.agentDied(this.#system.clock.now());
  }

  /** Notes that the agent was drained, after the last line. */
  agentFinished(): void {
    this.#journal.finished();
  }

  /** Writes no more. The journal can be read, and deaths can still be noted. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const file of this.#files) file.close();
  }

  #tick(): void {
    const nowMs = this.#system.clock.monotonic();
    const { logs, mails } = this.#config;
    if (logs) {
      this.#writeLines(((nowMs - this.#lastMs) / 1000) * logs.lines_per_second);
      if (nowMs >= this.#nextRotationMs) {
        this.#files[this.#rotated++ % this.#files.length]?.rotate();
        this.#nextRotationMs = nowMs + logs.rotate_every;
      } else if (nowMs >= this.#nextRotationMs - logs.rotate_every / 2) {
        for (const file of this.#files) file.reopenIfRenamed();
      }
    }
    if (mails && nowMs >= this.#nextMailMs) {
      this.#dropMail(mails.directory);
      this.#nextMailMs = nowMs + mails.every;
    }
    this.#lastMs = nowMs;
  }

  #writeLines(count: number): void {
    const { clock, random } = this.#system;
    this.#due += count;
    const texts = new Map<DemoLogFile, string>();
    while (this.#due >= 1) {
      const file = this.#files[this.#id % this.#files.length];
      if (!file) return;
      const line = logLine(file.name, this.#id++, clock.now(), random);
      texts.set(file, `${texts.get(file) ?? ''}${line}\n`);
      this.#due--;
      this.lines++;
    }
    for (const [file, text] of texts) {
      const bytes = Buffer.from(text);
      file.append(bytes);
      this.#journal.wrote(file.name, bytes);
    }
  }

  #dropMail(directory: string): void {
    const { clock, disk, random } = this.#system;
    const name = `${(this.#id++).toString(36)}.eml`;
    const content = Buffer.from(mailText(name, clock.now(), random));
    const staged = join(this.#staging(), name);
    const file = disk.openSync(staged, 'w');
    file.writeSync([content], 0);
    file.closeSync();
    disk.renameSync(staged, join(directory, name));
    this.#journal.dropped({ name, bytes: content.length, sha256: hashOf(content) });
    this.mails++;
  }

  /** Beside the dump directory, so that a rename moves mails into it whole. */
  #staging(): string {
    return join(this.#config.directory, 'staging');
  }
}

function openLogs({ disk }: System, directory: string, keep: number): DemoLogFile[] {
  disk.makeDirectorySync(directory);
  const styles = { 'app.log': 'rename', 'web.log': 'copytruncate', 'jobs.log': 'reopen' } as const;
  return Object.entries(styles).map(
    ([name, style]) => new DemoLogFile(disk, directory, { name, style, keep }),
  );
}
