import { isSameMail, type MailFile } from './mail-folder.js';

/** How many mails that were sent and stand there still are compared in one look, in turns. */
const comparedPerLook = 1_000;
/** How many files are looked at between two turns of the event loop. */
const foundPerTurn = 500;

/** What is known of a mail in the directory. */
export interface Entry {
  readonly mail: MailFile;
  /** Since when the file has not changed (monotonic). */
  sinceMs: number;
  /** `done`: acknowledged, and to be taken away; `sent`: acknowledged, and still there. */
  state: 'waiting' | 'inFlight' | 'done' | 'sent';
  retryAtMs: number;
}

/** What the mails are found with. */
export interface Finder {
  find(name: string): MailFile | undefined;
  /** Lets other work go on. */
  turn(): Promise<void>;
}

/**
 * The mails of the directory, by name. A listing costs one `stat` for each new name: those that
 * wait are looked at again when they are read, those in flight before they are taken away, those
 * that were sent and stay on a hint, or in turns.
 */
export class Mails {
  readonly #entries = new Map<string, Entry>();
  /** Sent before the last start; by name. */
  readonly #sentBefore: Map<string, MailFile>;
  /** Names of which the watch told. */
  readonly #hinted = new Set<string>();
  #nextCompared = 0;

  constructor(sentBefore: readonly MailFile[]) {
    this.#sentBefore = new Map(sentBefore.map((mail) => [mail.name, mail]));
  }

  get size(): number {
    return this.#entries.size;
  }

  [Symbol.iterator](): IterableIterator<Entry> {
    return this.#entries.values();
  }

  /** Whether this very mail was acknowledged already. */
  wasSent(mail: MailFile): boolean {
    const before = this.#sentBefore.get(mail.name);
    const entry = this.#entries.get(mail.name);
    const isEntry = entry && (entry.state === 'done' || entry.state === 'sent');
    return (
      (before && isSameMail(before, mail)) || (isEntry && isSameMail(entry.mail, mail)) || false
    );
  }

  /** Something has happened to the file with this name. */
  hint(name: string): void {
    // Others are looked at in time anyway.
    if (this.#entries.get(name)?.state === 'sent') this.#hinted.add(name);
  }

  /**
   * Takes in a listing.
   * @returns those that were sent before the last start, and should have been taken away since.
   */
  async take(names: readonly string[], finder: Finder, nowMs: number): Promise<Entry[]> {
    this.#forgetOthers(new Set(names));
    const found: Entry[] = [];
    let looks = 0;
    for (const name of names) {
      if (this.#entries.has(name) && !this.#isCompared(name)) continue;
      if (++looks % foundPerTurn === 0) await finder.turn();
      const entry = this.#see(name, finder.find(name), nowMs);
      if (entry?.state === 'sent') found.push(entry);
    }
    this.#compareSome(names, finder, nowMs);
    return found;
  }

  /** The file was found changed when it was to be used: it is another mail, which has to settle. */
  changed(entry: Entry, found: MailFile | undefined, nowMs: number): void {
    const { name } = entry.mail;
    if (this.#entries.get(name) === entry) this.#entries.delete(name);
    this.#see(name, found, nowMs);
  }

  /** A mail that was sent and stays: whether the name is another one's by now. */
  compare({ mail }: Entry, found: MailFile | undefined, nowMs: number): void {
    this.#see(mail.name, found, nowMs);
  }

  forget(entry: Entry): void {
    if (this.#entries.get(entry.mail.name) === entry) this.#entries.delete(entry.mail.name);
  }

  /** Those that wait, the oldest first. */
  waiting(): Entry[] {
    const waiting = [...this.#entries.values()].filter(({ state }) => state === 'waiting');
    return waiting.sort(byAge);
  }

  /** What the positions remember: acknowledged, and perhaps still there. */
  sent(): MailFile[] {
    const sent = new Map(this.#sentBefore);
    for (const { mail, state } of this.#entries.values()) {
      if (state === 'done' || state === 'sent') sent.set(mail.name, mail);
    }
    return [...sent.values()];
  }

  #forgetOthers(names: ReadonlySet<string>): void {
    for (const [name, { state }] of this.#entries) {
      if (!names.has(name) && state !== 'inFlight' && state !== 'done') this.#entries.delete(name);
    }
    for (const name of this.#sentBefore.keys()) {
      if (!names.has(name)) this.#sentBefore.delete(name);
    }
  }

  #isCompared(name: string): boolean {
    return this.#hinted.delete(name);
  }

  #compareSome(names: readonly string[], finder: Finder, nowMs: number): void {
    for (let count = Math.min(comparedPerLook, names.length); count > 0; count--) {
      this.#nextCompared = (this.#nextCompared + 1) % names.length;
      const name = names[this.#nextCompared] ?? '';
      if (this.#entries.get(name)?.state === 'sent') this.#see(name, finder.find(name), nowMs);
    }
  }

  /** @returns the entry where it is new. */
  #see(name: string, mail: MailFile | undefined, nowMs: number): Entry | undefined {
    const known = this.#entries.get(name);
    if (mail === undefined || known?.state === 'inFlight' || known?.state === 'done') return;
    if (known && isSameMail(known.mail, mail)) return;
    const before = this.#sentBefore.get(name);
    const state = before && isSameMail(before, mail) ? 'sent' : 'waiting';
    const entry: Entry = { mail, sinceMs: nowMs, state, retryAtMs: 0 };
    this.#entries.set(name, entry);
    this.#sentBefore.delete(name);
    return entry;
  }
}

function byAge({ mail: a }: Entry, { mail: b }: Entry): number {
  return a.modified_ms - b.modified_ms || (a.name < b.name ? -1 : 1);
}
