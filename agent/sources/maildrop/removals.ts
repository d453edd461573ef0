import { resolve } from 'node:path';
import type { SourceContext } from '../source.js';
import type { MailFolder } from './mail-folder.js';
import type { Entry, Mails } from './mails.js';
import type { MaildropOptions } from './options.js';

/** A mail that was sent and cannot be taken away is tried again after so long. */
const retryMs = 30_000;

/** What becomes of mails that were acknowledged: one after the other, `after` is done to them. */
export class Removals {
  #waiting: Entry[] = [];
  #stuck: Entry[] = [];
  #retryAtMs = 0;
  #working: Promise<void> | undefined;
  #isStopping = false;

  /** @param onDone is called when all that waited is done. */
  constructor(
    private readonly context: SourceContext,
    private readonly options: MaildropOptions,
    private readonly folder: MailFolder,
    private readonly mails: Mails,
    private readonly onDone: () => void,
  ) {}

  get isBusy(): boolean {
    return this.#working !== undefined;
  }

  /** The mail is acknowledged. */
  add(entry: Entry): void {
    entry.state = 'done';
    this.#waiting.push(entry);
    this.#working ??= this.#work();
  }

  /** What could not be taken away is tried again once its time has come. */
  retry(): void {
    if (this.#stuck.length === 0) return;
    if (this.context.system.clock.monotonic() < this.#retryAtMs) return;
    const stuck = this.#stuck;
    this.#stuck = [];
    for (const entry of stuck) if (entry.state === 'sent') this.add(entry);
  }

  /** Ends what the last start was killed in. */
  async recover(): Promise<void> {
    // What is hidden now may be the one that is being taken away.
    if (this.isBusy) return;
    const { move_to: moveTo } = this.options;
    const target = moveTo === undefined ? undefined : resolve(moveTo);
    try {
      await this.folder.recover((mail) => this.mails.wasSent(mail), target);
    } catch (error) {
      this.#say(error);
    }
  }

  /** Resolves when nothing is under way; the rest waits for the next start. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isStopping) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const entry of batch) {
        if (this.#isStopping) break;
        await this.#finish(entry);
      }
    }
    this.#working = undefined;
    if (!this.#isStopping) this.onDone();
  }

  async #finish(entry: Entry): Promise<void> {
    const { after, move_to: moveTo } = this.options;
    const { mail } = entry;
    const { positions, system } = this.context;
    try {
      if (after === 'delete') await this.folder.remove(mail);
      else if (after === 'move' && moveTo) await this.folder.move(mail, resolve(moveTo));
      if (after === 'keep') {
        entry.state = 'sent';
        this.mails.compare(entry, this.folder.find(mail.name), system.clock.monotonic());
      } else {
        this.mails.forget(entry);
        system.problems.clear(this.#problem);
      }
      positions.changed();
    } catch (error) {
      this.#say(error);
      // It is remembered as sent, so that it is not sent again.
      entry.state = 'sent';
      this.#stuck.push(entry);
      this.#retryAtMs = system.clock.monotonic() + retryMs;
    }
  }

  get #problem(): string {
    return `sent mails of ${this.folder.directory}`;
  }

  #say(error: unknown): void {
    const { after } = this.options;
    const text =
      `mails of ${this.folder.directory} were sent, but cannot be taken away (after: ${after}): ` +
      'give the agent the right to rename and remove there; trying again';
    this.context.system.problems.raise(this.#problem, text, { error });
  }
}
