import { basename, join, resolve } from 'node:path';
import { z } from '../../../config/index.js';
import type { Header } from '../../../protocol/records/index.js';
import { detach } from '../../../system/index.js';
import { Alarm } from '../alarm.js';
import type { Source, SourceContext, SourceStatus } from '../source.js';
import { SourceCounts } from '../source-counts.js';
import { isSameMail, type MailFile, MailFolder, mailFile } from './mail-folder.js';
import { mailHeaders } from './mail-headers.js';
import type { MaildropOptions } from './options.js';

/** The directory is looked at this often, whatever the watch says. */
const lookEveryMs = 1_000;
/** After a failure a mail is left alone for so long. */
const retryMs = 5_000;
const blockedPauseMs = 20;

const storedMaildrop = z.strictObject({
  type: z.literal('maildrop'),
  sent: z.array(mailFile),
});

/** What is known of a file in the directory. */
interface Entry {
  mail: MailFile;
  /** Since when the file has not changed (monotonic). */
  sinceMs: number;
  /** `sent`: acknowledged, and still there. */
  state: 'waiting' | 'inFlight' | 'sent';
  retryAtMs: number;
}

/** Sends each mail of a directory, then deletes, keeps or moves it. */
export class MaildropSource implements Source {
  readonly #folder: MailFolder;
  readonly #alarm: Alarm;
  readonly #entries = new Map<string, Entry>();
  /** Sent before the last start; by name. */
  readonly #sentBefore: Map<string, MailFile>;
  #watch: { close(): Promise<void> } | undefined;
  #loop: Promise<void> | undefined;
  #isStopping = false;
  /** While draining: the mails that were there. */
  #wanted: Set<string> | undefined;
  /** Work after an acknowledgement that is under way. */
  #finishing = 0;
  readonly #counts: SourceCounts;

  constructor(
    private readonly context: SourceContext,
    private readonly options: MaildropOptions,
  ) {
    this.#folder = new MailFolder(context.system.disk, resolve(options.directory));
    this.#alarm = new Alarm(context.system.clock);
    this.#counts = new SourceCounts(context.system, context.name);
    const stored = context.positions.restore(storedMaildrop);
    this.#sentBefore = new Map((stored?.sent ?? []).map((mail) => [mail.name, mail]));
    context.positions.keep(() => ({ type: 'maildrop', sent: this.#sent() }));
  }

  async start(): Promise<void> {
    const { system, log } = this.context;
    await system.disk.makeDirectory(this.#folder.directory);
    const root = { path: this.#folder.directory, recursive: false };
    this.#watch = await system.watch.directories([root], {
      onChange: () => this.#alarm.ring(),
      onError: (error) => log.warn(`watching ${root.path} failed`, { error }),
    });
    this.#loop = this.#run();
  }

  async drain(): Promise<void> {
    this.#wanted ??= new Set((await this.#folder.list()).map(({ name }) => name));
    this.#alarm.ring();
    await this.#loop;
  }

  unsent(): readonly string[] {
    const entries = [...this.#entries.values()].filter(({ state }) => state !== 'sent');
    return entries.map(({ mail }) => `${this.#folder.pathOf(mail)} is not sent`);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#alarm.ring();
    await this.#loop;
    await this.#watch?.close();
  }

  status(): SourceStatus {
    let lagBytes = 0;
    for (const { mail, state } of this.#entries.values()) {
      if (state !== 'sent') lagBytes += mail.size;
    }
    const files = this.#entries.size;
    return { type: 'maildrop', ...this.#counts.read(), files, lagBytes };
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const next = await this.#pass();
      if (this.#wanted && this.#isDrained(this.#wanted)) return this.context.positions.save();
      if (!this.#isStopping) await this.#alarm.wait(next);
    }
  }

  /** One look at the directory; returns after how many milliseconds the next one is due. */
  async #pass(): Promise<number> {
    try {
      await this.#look();
      let dueMs = lookEveryMs;
      for (const entry of [...this.#entries.values()]) {
        if (this.#isStopping) break;
        if (entry.state !== 'waiting') continue;
        const waitMs = this.#waitMs(entry);
        if (waitMs > 0) dueMs = Math.min(dueMs, waitMs);
        else await this.#send(entry);
      }
      return dueMs;
    } catch (error) {
      this.context.log.warn(`cannot look at ${this.#folder.directory}; trying again`, { error });
      return retryMs;
    }
  }

  async #look(): Promise<void> {
    const nowMs = this.context.system.clock.monotonic();
    const mails = await this.#folder.list();
    const names = new Set(mails.map(({ name }) => name));
    for (const [name, { state }] of this.#entries) {
      if (!names.has(name) && state !== 'inFlight') this.#entries.delete(name);
    }
    for (const mail of mails) {
      const known = this.#entries.get(mail.name);
      if (known && (known.state === 'inFlight' || isSameMail(known.mail, mail))) continue;
      const before = this.#sentBefore.get(mail.name);
      const state = before && isSameMail(before, mail) ? 'sent' : 'waiting';
      const entry: Entry = { mail, sinceMs: nowMs, state, retryAtMs: 0 };
      this.#entries.set(mail.name, entry);
      if (state === 'sent') this.#detach(entry, this.#finish(entry));
    }
    for (const name of this.#sentBefore.keys()) {
      if (!names.has(name)) this.#sentBefore.delete(name);
    }
  }

  /** How long until the mail is complete and may be tried; 0: now. */
  #waitMs({ mail, sinceMs, retryAtMs }: Entry): number {
    const { clock } = this.context.system;
    const nowMs = clock.monotonic();
    // A file that was renamed into the directory has settled before it came.
    const quietMs = Math.max(nowMs - sinceMs, clock.now() - mail.modified_ms);
    return Math.max(0, this.options.settle - quietMs, retryAtMs - nowMs);
  }

  async #send(entry: Entry): Promise<void> {
    const { mail } = entry;
    const limit = this.options.max_mail_bytes;
    if (mail.size > limit) {
      return this.#reject(entry, `it has ${mail.size} bytes; max_mail_bytes is ${limit}`);
    }
    try {
      const content = await this.#folder.read(mail);
      // It has grown since it was looked at: the next look begins to wait anew.
      if (content.length !== mail.size) return;
      const headers = await mailHeaders(content);
      while (!this.#append(entry, content, headers)) {
        await this.#alarm.orRing(this.context.producer.writable());
        if (this.#isStopping) return;
        // It may look for the topic in vain, and say so at once each time.
        await this.#alarm.wait(blockedPauseMs);
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code === 'EACCES' || code === 'EPERM') {
        return this.#reject(entry, `it cannot be read: ${message}`);
      }
      if (code === 'TOO_LARGE') return this.#reject(entry, message);
      this.#postpone(entry, error);
    }
  }

  /** False where the producer is full. */
  #append(entry: Entry, content: Buffer, headers: readonly Header[]): boolean {
    const { chain, producer, host, system } = this.context;
    const { view } = chain;
    view.open(content, 0, content.length, system.clock.now());
    view.headers.push(...headers);
    if (!chain.isConstant && !chain.intercept()) {
      entry.state = 'inFlight';
      this.#detach(entry, this.#acknowledge(entry, 0));
      return true;
    }
    const path = this.#folder.pathOf(entry.mail);
    const parts: Readonly<Record<string, string>> = { host, path, name: basename(path) };
    const key = Buffer.from(
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
    this.#counts.sent(1, content.length, 0);
    ticket.onDone((error) => {
      this.#detach(entry, error ? this.#refused(entry, error) : this.#acknowledge(entry, 1));
    });
    return true;
  }

  #detach({ mail }: Entry, work: Promise<void>): void {
    const path = join(this.#folder.directory, mail.name);
    detach(work, (error) => this.context.log.error(`${path} is left as it is`, { error }));
  }

  async #acknowledge(entry: Entry, records: number): Promise<void> {
    this.#counts.acknowledged(records);
    this.context.chain.delivered(records, true);
    await this.#finish(entry);
  }

  /** The mail is safe: now, and not before, it may go. */
  async #finish(entry: Entry): Promise<void> {
    const { after, move_to: moveTo } = this.options;
    const { mail } = entry;
    entry.state = 'sent';
    this.context.positions.changed();
    this.#finishing++;
    try {
      if (after === 'delete') await this.#folder.remove(mail);
      else if (after === 'move' && moveTo) await this.#folder.move(mail, resolve(moveTo));
      if (after !== 'keep') this.#forget(entry);
    } catch (error) {
      const path = join(this.#folder.directory, mail.name);
      this.context.log.warn(`${path} was sent, but cannot be taken away (${after})`, { error });
      // It is remembered as sent; another start tries again.
    } finally {
      this.#finishing--;
      this.#alarm.ring();
    }
  }

  async #refused(entry: Entry, error: Error): Promise<void> {
    this.context.chain.delivered(1, false);
    if ((error as NodeJS.ErrnoException).code === 'TOO_LARGE') {
      await this.#reject(entry, error.message);
    } else this.#postpone(entry, error);
    this.#alarm.ring();
  }

  async #reject(entry: Entry, reason: string): Promise<void> {
    const path = this.#folder.pathOf(entry.mail);
    try {
      await this.#folder.reject(entry.mail, `${path}: ${reason}`);
      this.#counts.failed();
      this.context.log.warn(`${path} was moved to failed/: ${reason}`);
      this.#forget(entry);
    } catch (error) {
      this.#postpone(entry, error);
    }
  }

  #postpone(entry: Entry, error: unknown): void {
    const path = this.#folder.pathOf(entry.mail);
    this.context.log.warn(`${path} could not be sent; trying again`, { error });
    entry.state = 'waiting';
    entry.retryAtMs = this.context.system.clock.monotonic() + retryMs;
  }

  #forget(entry: Entry): void {
    if (this.#entries.get(entry.mail.name) === entry) this.#entries.delete(entry.mail.name);
    this.context.positions.changed();
  }

  #sent(): MailFile[] {
    const sent = new Map(this.#sentBefore);
    for (const { mail, state } of this.#entries.values()) {
      if (state === 'sent') sent.set(mail.name, mail);
    }
    return [...sent.values()];
  }

  #isDrained(wanted: ReadonlySet<string>): boolean {
    if (this.#finishing > 0) return false;
    for (const [name, { state }] of this.#entries) {
      if (wanted.has(name) && state !== 'sent') return false;
    }
    return true;
  }
}
