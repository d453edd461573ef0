import { dirname, join } from 'node:path';
import { encodeHeaders, type Header } from '../protocol/records/index.js';
import type { System, Timer } from '../system/index.js';
import type { BatchTicket, RecordProducer } from './producer.js';
import { failuresAmong, isOwnFault, reasonOf, type UnsentRecord } from './refusal.js';

/** A record that was refused for itself, and where it came from. */
export interface FailedRecord extends UnsentRecord {
  readonly source: string;
  readonly topic: string;
  /** Why, as a sentence. */
  readonly reason: string;
  /** The file or mail that it was read from. */
  readonly file: string;
  /** It lies between these bytes of the file's content. */
  readonly start: number;
  readonly end: number;
}

/** Where refused records go. */
export interface FailedRecordsOptions {
  /** The folder for them; made when the first one comes. */
  readonly directory: string;
  /** The topic for them; the folder takes what this refuses too. */
  readonly topic: string | undefined;
}

const problemId = 'failed records';
const storeProblemId = 'failed records cannot be kept';
const suffix = '.record';
const unfinished = '.tmp';
/** The producer may look for the topic in vain, and say so at once each time. */
const blockedPauseMs = 20;
/** A record that a topic has not taken in this time is said to wait. */
const sayAfterMs = 10_000;
/** Between attempts to keep a record, and looks whether the folder has been emptied. */
const retryMs = 5_000;
const lookMs = 10_000;

/**
 * Keeps records that a broker refuses for themselves, whole and with the reason, so that those
 * behind them can go on: in a dead-letter topic or, by default, as files of their own
 * (docs/formats/failed-records.md). A position may move over a record once `keep` has resolved.
 */
export class FailedRecords {
  readonly #system: System;
  readonly #producer: RecordProducer;
  readonly #options: FailedRecordsOptions;
  readonly #stopping = new AbortController();
  /** One at a time, in the order in which they were refused. */
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;
  #timer: Timer | undefined;

  constructor(system: System, producer: RecordProducer, options: FailedRecordsOptions) {
    this.#system = system;
    this.#producer = producer;
    this.#options = options;
  }

  /** Records that wait to be kept; while there are any, nothing more should be read. */
  get pending(): number {
    return this.#pending;
  }

  /** Says it where records of an earlier run are still there. */
  start(): void {
    for (const name of this.#names()) {
      if (name.endsWith(unfinished)) this.#system.disk.removeSync(this.#pathOf(name));
    }
    this.#look();
  }

  /** What is not kept yet never will be: another start reads it again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await this.#last;
  }

  /**
   * Resolves when the record survives a power cut. A full disk, or a topic that is not there, is
   * waited for, and said. Never rejects; never resolves where `stop` came before.
   */
  keep(record: FailedRecord): Promise<void> {
    this.#pending++;
    const kept = this.#last.then(() => this.#persist(record));
    this.#last = kept;
    return kept.then((where) => {
      this.#pending--;
      if (where === undefined) return new Promise(() => {});
      const { source, file, reason } = record;
      const text = `a record of ${file} was set aside in ${where}: ${reason}`;
      this.#system.log.error(text, { source });
      return undefined;
    });
  }

  /** Where it is kept; undefined where the agent stops. */
  async #persist(record: FailedRecord): Promise<string | undefined> {
    while (!this.#stopping.signal.aborted) {
      try {
        const where = await this.#put(record);
        this.#system.problems.clear(storeProblemId);
        return where;
      } catch (error) {
        if (this.#stopping.signal.aborted) break;
        this.#sayStuck(record, error);
        await this.#system.clock.sleep(retryMs, this.#stopping.signal);
      }
    }
    return undefined;
  }

  #sayStuck({ file }: FailedRecord, error: unknown): void {
    const why = `a refused record of ${file} cannot be set aside`;
    const text = `${why}, so nothing behind it counts as sent: ${reasonOf(error)}`;
    this.#system.problems.raise(storeProblemId, text, { error });
  }

  async #put(record: FailedRecord): Promise<string> {
    const { topic } = this.#options;
    if (topic !== undefined && (await this.#sendTo(topic, record))) return `topic ${topic}`;
    return this.#write(record);
  }

  /** False where the topic refuses the record for itself too. */
  async #sendTo(topic: string, record: FailedRecord): Promise<boolean> {
    const { key, value, timestamp } = record;
    const target = this.#producer.target(topic, key);
    const headers = encodeHeaders([...record.headers, ...deadLetterHeaders(record)]);
    const keyBytes = key?.length ?? 0;
    const append = () =>
      this.#producer.append(target, timestamp, key, 0, keyBytes, value, 0, value.length, headers);
    const { signal } = this.#stopping;
    // The producer waits for as long as the topic is closed to it, or a clock is wrong.
    const late = this.#system.clock.after(sayAfterMs, () => {
      const why = this.#producer.trouble(topic) ?? new Error(`topic ${topic} does not answer`);
      this.#sayStuck(record, why);
    });
    try {
      for (;;) {
        const ticket = append();
        if (ticket !== null) {
          await delivered(ticket, signal);
          return true;
        }
        const why = this.#producer.trouble(topic);
        if (why) throw why;
        await this.#system.clock.sleep(blockedPauseMs, signal);
        signal.throwIfAborted();
      }
    } catch (error) {
      if (isOwnFault(error)) return false;
      throw error;
    } finally {
      late.cancel();
    }
  }

  /** Written beside, synced and linked: a file with its final name is whole, and never replaced. */
  async #write(record: FailedRecord): Promise<string> {
    const { disk, clock } = this.#system;
    const { directory } = this.#options;
    await disk.makeDirectory(directory);
    await disk.syncDirectory(dirname(directory));
    const moment = new Date(clock.now()).toISOString().replace(/[-:]/g, '');
    const temporary = this.#pathOf(`${moment}${unfinished}`);
    try {
      const file = await disk.open(temporary, 'w');
      try {
        await file.write([headerOf(record), record.value], 0);
        await file.sync();
      } finally {
        file.closeSync();
      }
      const path = await this.#link(temporary, `${moment}-${record.source}`);
      this.#sayKept();
      return path;
    } finally {
      await disk.remove(temporary);
    }
  }

  async #link(temporary: string, name: string): Promise<string> {
    const { disk } = this.#system;
    const { directory } = this.#options;
    for (let number = 0; ; number++) {
      const path = this.#pathOf(`${name}-${number}${suffix}`);
      try {
        await disk.link(temporary, path);
        await disk.syncDirectory(directory);
        return path;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  }

  /** It stands as a problem for as long as records lie in the folder. */
  #look(): void {
    this.#timer = undefined;
    if (this.#names().some((name) => name.endsWith(suffix))) this.#sayKept();
    else this.#system.problems.clear(problemId);
  }

  /** Not by a look: with each record the folder is longer. */
  #sayKept(): void {
    if (this.#timer || this.#stopping.signal.aborted) return;
    const { problems, clock } = this.#system;
    const text = `records that were refused for themselves lie in ${this.#options.directory}`;
    problems.raise(problemId, `${text}: deal with them, and take them out of there`);
    this.#timer = clock.after(lookMs, () => this.#look());
  }

  #names(): string[] {
    try {
      return this.#system.disk.listSync(this.#options.directory);
    } catch {
      // It has not been made yet, or was taken away with all that it held.
      return [];
    }
  }

  #pathOf(name: string): string {
    return join(this.#options.directory, name);
  }
}

/** The first line of a record's file; what follows it is the value, byte for byte. */
function headerOf(record: FailedRecord): Buffer {
  const { source, topic, key, headers, timestamp, reason, file, start, end, value } = record;
  const base64 = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('base64');
  const header = {
    ...{ version: 1, source, topic, reason, file, start, end, timestamp },
    value_bytes: value.length,
    key: base64(key),
    headers: headers.map(([name, bytes]) => [name, base64(bytes)]),
  };
  return Buffer.from(`${JSON.stringify(header)}\n`);
}

function deadLetterHeaders({ topic, reason, source, file, start, end }: FailedRecord): Header[] {
  const fields = { topic, reason, source, file, start, end };
  return Object.entries(fields).map(([name, value]) => [
    `logflume.dead_letter.${name}`,
    Buffer.from(String(value)),
  ]);
}

/** Rejects with the reason where the record just appended is given up, and when `signal` aborts. */
function delivered(ticket: BatchTicket, signal: AbortSignal): Promise<void> {
  const index = ticket.recordCount - 1;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    ticket.onDone((error, _, failures) => {
      signal.removeEventListener('abort', stop);
      const failure = error && failuresAmong(failures, index, 1)[0];
      if (failure) reject(failure.error);
      else resolve();
    });
  });
}
