import { basename, resolve } from 'node:path';
import { z } from '../../../config/index.js';
import type { Header } from '../../../protocol/records/index.js';
import { type Counter, detach, pathToBytes, printable, WallSteps } from '../../../system/index.js';
import { failuresAmong, isOwnFault, reasonOf } from '../../refusal.js';
import { Alarm } from '../alarm.js';
import { Blockage } from '../blockage.js';
import { Room } from '../room.js';
import type { Source, SourceContext, SourceStatus } from '../source.js';
import { SourceCounts } from '../source-counts.js';
import { MailFolder, mailFile } from './mail-folder.js';
import { loadParser, mailHeaders } from './mail-headers.js';
import { type Entry, Mails } from './mails.js';
import type { MaildropOptions } from './options.js';
import { Removals } from './removals.js';

/** The directory is looked at this often without a hint, and at the soonest after one. */
const lookEveryMs = 1_000;
const lookSoonestMs = 50;
/** The share of the time that looking may take: after a look of 50 ms, a second passes. */
const lookShare = 1 / 20;
/** After a failure a mail is left alone for so long. */
const retryMs = 5_000;
const blockedPauseMs = 20;
/** How many mails are sent between two turns of the event loop. */
const mailsPerTurn = 16;

const storedMaildrop = z.strictObject({
  type: z.literal('maildrop'),
  sent: z.array(mailFile),
});

/** The source cannot work as it is configured; the message says what to change. */
export class MaildropError extends Error {
  override readonly name = 'MaildropError';
  readonly code = 'MOVE_TO_IS_DIRECTORY';
}

/** How a maildrop stands. */
interface MaildropStatus extends SourceStatus {
  /** Mails at hand. */
  readonly files: number;
  /** Mails moved to `failed/`. */
  readonly failed: number;
}

/** Sends each mail of a directory, then deletes, keeps or moves it. */
export class MaildropSource implements Source {
  readonly #folder: MailFolder;
  readonly #alarm: Alarm;
  readonly #mails: Mails;
  readonly #removals: Removals;
  readonly #wallSteps: WallSteps;
  #watch: { close(): Promise<void> } | undefined;
  #loop: Promise<void> | undefined;
  #isStopping = false;
  /** While draining: the mails that were there. */
  #wanted: Set<string> | undefined;
  /** A look has begun since it was known what was there. */
  #hasLookedSince = false;
  readonly #counts: SourceCounts;
  readonly #failed: Counter;
  readonly #blockage: Blockage;
  readonly #room: Room;
  /** Mails that the producer has. */
  #inFlight = 0;
  /** Why the directory could not be looked at the last time. */
  #trouble: string | undefined;
  #nextLookMs = 0;
  #lastLookMs = { end: 0, duration: 0 };
  /** What waits, the oldest first, and how far it was worked through. */
  #queue: Entry[] = [];
  #queued = 0;

  constructor(
    private readonly context: SourceContext,
    private readonly options: MaildropOptions,
  ) {
    const { system } = context;
    this.#folder = new MailFolder(system.disk, resolve(options.directory));
    this.#alarm = new Alarm(system.clock);
    this.#room = new Room(context.producer, this.#alarm);
    this.#counts = new SourceCounts(system, context.name);
    this.#failed = this.#counts.counter('failed_mails', 'Mails moved to failed/');
    this.#counts.gauge('open_files', 'Files or mails at hand', () => this.#mails.size);
    this.#blockage = new Blockage(system, context.producer, context.name, options.topic);
    this.#wallSteps = new WallSteps(system.clock);
    const stored = context.positions.restore(storedMaildrop);
    this.#mails = new Mails(stored?.sent ?? []);
    this.#removals = new Removals(context, options, this.#folder, this.#mails, () => {
      this.#lookSoon();
      this.#alarm.ring();
    });
    context.positions.keep(() => ({ type: 'maildrop', sent: this.#mails.sent() }));
  }

  /** Throws MaildropError where mails would be moved to where they come from. */
  async start(): Promise<void> {
    const { system } = this.context;
    const mistake = this.#mistake();
    if (mistake !== undefined) throw new MaildropError(mistake);
    await loadParser();
    const root = { path: this.#folder.directory, recursive: false };
    this.#watch = await system.watch.directories([root], {
      onChange: (path) => this.#onChange(path),
    });
    this.#loop = this.#run();
  }

  async drain(): Promise<void> {
    this.#wanted ??= new Set(await this.#folder.list().catch(() => []));
    this.#nextLookMs = 0;
    this.#alarm.ring();
    await this.#loop;
  }

  unsent(): readonly string[] {
    const unsent = [...this.#mails].filter(
      ({ state }) => state === 'waiting' || state === 'inFlight',
    );
    const texts = unsent.map(({ mail }) => `${printable(this.#folder.pathOf(mail))} is not sent`);
    return this.#trouble === undefined ? texts : [this.#trouble, ...texts];
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#alarm.ring();
    await this.#loop;
    await this.#removals.stop();
    await this.#watch?.close();
    this.#blockage.close();
  }

  status(): MaildropStatus {
    let lagBytes = 0;
    for (const { mail, state } of this.#mails) {
      if (state === 'waiting' || state === 'inFlight') lagBytes += mail.size;
    }
    const counts = this.#counts.read();
    const failed = this.#failed.value;
    return { type: 'maildrop', ...counts, failed, files: this.#mails.size, lagBytes };
  }

  get #nowMs(): number {
    return this.context.system.clock.monotonic();
  }

  #onChange(path: string): void {
    this.#mails.hint(basename(path));
    const before = this.#nextLookMs;
    this.#lookSoon();
    // While mails are being sent each of them changes the directory.
    if (this.#nextLookMs < before) this.#alarm.ring();
  }

  #lookSoon(): void {
    const { end, duration } = this.#lastLookMs;
    const soonest = end + Math.max(lookSoonestMs, duration / lookShare);
    this.#nextLookMs = Math.min(this.#nextLookMs, soonest);
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      if (this.#nowMs >= this.#nextLookMs) await this.#look();
      this.#blockage.check(this.#inFlight > 0);
      const dueMs = await this.#sendDue();
      if (this.#wanted && this.#isDrained(this.#wanted)) return this.context.positions.save();
      const waitMs = Math.min(dueMs, this.#nextLookMs - this.#nowMs);
      if (!this.#isStopping) await this.#alarm.wait(Math.max(1, waitMs));
    }
  }

  async #look(): Promise<void> {
    const start = this.#nowMs;
    const { directory } = this.#folder;
    const problem = `mail directory ${directory}`;
    const { problems } = this.context.system;
    const mistake = this.#mistake();
    this.#hasLookedSince = this.#wanted !== undefined;
    try {
      if (mistake !== undefined) throw new MaildropError(mistake);
      await this.#removals.recover();
      const names = await this.#folder.list();
      const finder = {
        find: (name: string) => this.#folder.find(name),
        turn: () => this.#alarm.turn(),
      };
      for (const entry of await this.#mails.take(names, finder, start)) this.#removals.add(entry);
      this.#queue = this.#mails.waiting();
      problems.clear(problem);
      this.#trouble = undefined;
    } catch (error) {
      this.#queue = [];
      this.#trouble = this.#wordsFor(error as NodeJS.ErrnoException);
      problems.raise(problem, this.#trouble);
    }
    this.#queued = 0;
    this.#removals.retry();
    const end = this.#nowMs;
    this.#lastLookMs = { end, duration: end - start };
    this.#nextLookMs = end + Math.max(lookEveryMs, (end - start) / lookShare);
  }

  /** Why mails would be found again where they were moved to. */
  #mistake(): string | undefined {
    const { move_to: moveTo } = this.options;
    if (moveTo === undefined || !this.#folder.isOwn(resolve(moveTo))) return undefined;
    return (
      `source ${this.context.name}: move_to (${moveTo}) is its own directory or a folder that ` +
      'belongs to it, so each mail would be sent again and again: name another directory'
    );
  }

  #wordsFor(error: NodeJS.ErrnoException): string {
    const { directory } = this.#folder;
    const which = `the mail directory ${directory} of source ${this.context.name}`;
    if (error instanceof MaildropError) return error.message;
    if (error.code === 'ENOENT') return `${which} is missing: create it, or correct \`directory\``;
    return `${which} cannot be looked at (${error.message}): trying again`;
  }

  /** Sends what is due until the next look is; returns in how many milliseconds more will be. */
  async #sendDue(): Promise<number> {
    let dueMs = lookEveryMs;
    while (this.#queued < this.#queue.length && !this.#isStopping) {
      if (this.#nowMs >= this.#nextLookMs) return 0;
      const entry = this.#queue[this.#queued++];
      if (entry?.state !== 'waiting') continue;
      const waitMs = this.#waitMs(entry);
      if (waitMs > 0) dueMs = Math.min(dueMs, waitMs);
      else await this.#send(entry);
      if (this.#queued % mailsPerTurn === 0) await this.#alarm.turn();
    }
    if (dueMs < lookEveryMs) this.#queued = 0;
    return dueMs;
  }

  /** How long until the mail is complete and may be tried; 0: now. */
  #waitMs({ mail, sinceMs, retryAtMs }: Entry): number {
    const { clock } = this.context.system;
    const nowMs = clock.monotonic();
    const { settle } = this.options;
    // A file that was renamed into the directory has settled before it came; its time says so,
    // unless the wall clock was set since.
    const isTimed = sinceMs - this.#wallSteps.lastMs > settle;
    const quietMs = Math.max(nowMs - sinceMs, isTimed ? clock.now() - mail.modified_ms : 0);
    return Math.max(0, settle - quietMs, retryAtMs - nowMs);
  }

  async #send(entry: Entry): Promise<void> {
    const { mail } = entry;
    const limit = this.options.max_mail_bytes;
    try {
      if (mail.size > limit) {
        return await this.#reject(entry, `it has ${mail.size} bytes; max_mail_bytes is ${limit}`);
      }
      const content = await this.#folder.read(mail);
      if (content === undefined) return this.#changed(entry);
      const headers = await mailHeaders(content);
      while (!this.#append(entry, content, headers)) {
        await this.#room.wait(lookEveryMs);
        if (this.#isStopping) return;
        this.#blockage.check(true);
        // It may look for the topic in vain, and say so at once each time.
        await this.#alarm.wait(blockedPauseMs);
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') this.#changed(entry);
      else if (code === 'EACCES' || code === 'EPERM') {
        await this.#reject(entry, `it cannot be read: ${message}`);
      } else if (isOwnFault(error)) await this.#reject(entry, message);
      else this.#postpone(entry, error);
    }
  }

  /** It is another one now: it waits anew. */
  #changed(entry: Entry): void {
    this.#mails.changed(entry, this.#folder.find(entry.mail.name), this.#nowMs);
    this.#lookSoon();
  }

  /** False where the producer is full. */
  #append(entry: Entry, content: Buffer, headers: readonly Header[]): boolean {
    const { chain, producer, host, system } = this.context;
    const { view } = chain;
    view.open(content, 0, content.length, system.clock.now());
    view.headers.push(...headers);
    if (!chain.isConstant && !chain.intercept()) {
      entry.state = 'inFlight';
      this.#acknowledge(entry, 0);
      return true;
    }
    const path = this.#folder.pathOf(entry.mail);
    const parts: Readonly<Record<string, string>> = { host, path, name: basename(path) };
    const key = pathToBytes(
      this.options.key.replace(/\{(host|path|name)\}/g, (_, part: string) => parts[part] ?? ''),
    );
    const ticket = producer.append(
      producer.target(this.options.topic, key),
      view.timestamp,
      key,
      0,
      key.length,
      view.bytes,
      view.start,
      view.end,
      chain.headersWith(view.headers),
    );
    if (ticket === null) return false;
    entry.state = 'inFlight';
    this.#counts.sent(1, content.length);
    this.#inFlight++;
    const index = ticket.recordCount - 1;
    ticket.onDone((_error, _offset, failures) => {
      this.#inFlight--;
      // The failure of a neighbour in the batch is not this mail's.
      const [failure] = failuresAmong(failures, index, 1);
      if (!failure) return this.#acknowledge(entry, 1);
      detach(this.#refused(entry, failure.error), (error) => this.#postpone(entry, error));
    });
    return true;
  }

  /** The mail is safe: now, and not before, it may go. */
  #acknowledge(entry: Entry, records: number): void {
    this.#blockage.progressed();
    this.#counts.acknowledged(records);
    this.context.chain.delivered(records, true);
    this.context.positions.changed();
    this.#removals.add(entry);
  }

  async #refused(entry: Entry, error: Error): Promise<void> {
    this.context.chain.delivered(1, false);
    if (isOwnFault(error)) await this.#reject(entry, reasonOf(error));
    else this.#postpone(entry, error);
    this.#alarm.ring();
  }

  async #reject(entry: Entry, reason: string): Promise<void> {
    const path = this.#folder.pathOf(entry.mail);
    try {
      if (await this.#folder.reject(entry.mail, `${printable(path)}: ${reason}`)) {
        this.#failed.inc();
        this.context.log.warn(`${path} was moved to failed/: ${reason}`);
      }
      this.#mails.forget(entry);
      this.context.positions.changed();
      this.#lookSoon();
    } catch (error) {
      this.#postpone(entry, error);
    }
  }

  #postpone(entry: Entry, error: unknown): void {
    const path = this.#folder.pathOf(entry.mail);
    this.context.log.warn(`${path} could not be sent; trying again`, { error });
    entry.state = 'waiting';
    entry.retryAtMs = this.#nowMs + retryMs;
    this.#lookSoon();
  }

  #isDrained(wanted: ReadonlySet<string>): boolean {
    if (!this.#hasLookedSince || this.#removals.isBusy) return false;
    for (const { mail, state } of this.#mails) {
      if (wanted.has(mail.name) && state !== 'sent') return false;
    }
    return true;
  }
}
