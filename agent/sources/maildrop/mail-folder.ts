import { join, resolve } from 'node:path';
import { z } from '../../../config/index.js';
import type { Disk, DiskFile } from '../../../system/index.js';
import { FreeNames, shortened } from './free-names.js';

/** Where mails go that cannot be sent. */
const failedName = 'failed';
/** Where a mail is while it is being taken away: out of everybody's sight. */
const hiddenName = '.logflume';
/** Up to this size a mail is read at once, beyond it by the threadpool. */
const maxSyncReadBytes = 64 * 1024;

/** A file in the drop directory; the same in all fields is the same mail. */
export const mailFile = z.strictObject({
  name: z.string(),
  device: z.number(),
  inode: z.number(),
  size: z.number(),
  modified_ms: z.number(),
});

export type MailFile = z.output<typeof mailFile>;

/** Whether nothing has happened to the file between two looks. */
export function isSameMail(a: MailFile, b: MailFile): boolean {
  return (
    a.inode === b.inode &&
    a.device === b.device &&
    a.size === b.size &&
    a.modified_ms === b.modified_ms
  );
}

/**
 * The drop directory. Names in it are used again at any time, so a mail is taken away in two steps:
 * a rename into a folder of our own decides which file it is, and only after a look at that one it
 * goes. What turns out to be another mail is put back, never over a third one.
 */
export class MailFolder {
  /** Files may stand in the hidden folder that belong back into the directory. */
  #mayHide = true;
  readonly #names: FreeNames;

  constructor(
    private readonly disk: Disk,
    readonly directory: string,
  ) {
    this.#names = new FreeNames(disk);
  }

  pathOf(mail: MailFile): string {
    return join(this.directory, mail.name);
  }

  /** The names in it that may be mails, sorted. */
  async list(): Promise<string[]> {
    const names = await this.disk.list(this.directory);
    return names.filter((name) => !name.startsWith('.'));
  }

  /** The mail with this name; undefined where there is none. */
  find(name: string): MailFile | undefined {
    return this.#stat(join(this.directory, name), name);
  }

  /** The content of exactly this mail; undefined where the file is another now, or has changed. */
  async read(mail: MailFile): Promise<Buffer | undefined> {
    const file = await this.disk.open(this.pathOf(mail), 'r');
    try {
      if (!isSameMail(mail, describe(mail.name, file.statSync()))) return undefined;
      const content = Buffer.allocUnsafe(mail.size);
      if (!(await fill(file, content))) return undefined;
      return isSameMail(mail, describe(mail.name, file.statSync())) ? content : undefined;
    } finally {
      file.closeSync();
    }
  }

  /** Removes exactly this mail; false where another one has its name, or none. */
  async remove(mail: MailFile): Promise<boolean> {
    const hidden = await this.#take(mail).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') throw error;
      // No room for a folder: this removal makes some. Its race is one call long.
      return this.#isThere(mail) ? this.pathOf(mail) : undefined;
    });
    if (hidden === undefined) return false;
    await this.#orPutBack(mail.name, () => this.disk.remove(hidden));
    return true;
  }

  /** Moves exactly this mail to another directory, which may lie on another disk. */
  async move(mail: MailFile, directory: string): Promise<boolean> {
    await this.disk.makeDirectory(directory);
    const hidden = await this.#take(mail);
    if (hidden === undefined) return false;
    await this.#orPutBack(mail.name, () => this.#moveHidden(hidden, directory, mail.name));
    return true;
  }

  /** Moves exactly this mail, which cannot be sent, to `failed/`, beside a file with the reason. */
  async reject(mail: MailFile, reason: string): Promise<boolean> {
    const directory = join(this.directory, failedName);
    await this.disk.makeDirectory(directory);
    const hidden = await this.#take(mail);
    if (hidden === undefined) return false;
    await this.#orPutBack(mail.name, async () => {
      const target = await this.#names.give(hidden, directory, shortened(mail.name));
      await this.disk.replaceFile(`${target}.reason`, `${reason}\n`);
      await this.disk.remove(hidden);
    });
    return true;
  }

  /**
   * Ends what a death or an error has interrupted: what is hidden goes back to its name, unless
   * `finish` says that it was sent already, and takes it away for good.
   */
  async recover(wasSent: (mail: MailFile) => boolean, moveTo: string | undefined): Promise<void> {
    if (!this.#mayHide) return;
    const names = await this.disk.list(this.#hidden).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    for (const name of names) {
      const path = join(this.#hidden, name);
      const mail = this.#stat(path, name);
      if (mail === undefined) continue;
      if (!wasSent(mail)) await this.#putBack(name);
      else if (moveTo === undefined) await this.disk.remove(path);
      else await this.#moveHidden(path, moveTo, name);
    }
    this.#mayHide = false;
  }

  /**
   * Whether a mail moved to `moveTo` would be found again as a new one: it is this directory, by
   * whatever path, or one of the folders that belong to it.
   */
  isOwn(moveTo: string): boolean {
    const real = (path: string) => this.disk.realPathSync(path) ?? resolve(path);
    const own = ['', failedName, hiddenName].map((name) => real(join(this.directory, name)));
    return own.includes(real(moveTo));
  }

  get #hidden(): string {
    return join(this.directory, hiddenName);
  }

  /** Hides exactly this mail; undefined where the name is another's now, or nobody's. */
  async #take(mail: MailFile): Promise<string | undefined> {
    const path = this.pathOf(mail);
    const hidden = join(this.#hidden, mail.name);
    if (!this.#isThere(mail)) return undefined;
    if (this.#stat(hidden, mail.name)) await this.#putBack(mail.name);
    try {
      await this.#hide(path, hidden);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    return this.#orPutBack(mail.name, async () => {
      const taken = this.#stat(hidden, mail.name);
      if (taken && isSameMail(mail, taken)) return hidden;
      await this.#putBack(mail.name);
      return undefined;
    });
  }

  #isThere(mail: MailFile): boolean {
    const found = this.find(mail.name);
    return found !== undefined && isSameMail(mail, found);
  }

  async #hide(path: string, hidden: string): Promise<void> {
    try {
      await this.disk.rename(path, hidden);
    } catch (error) {
      // Either of the two is missing.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await this.disk.makeDirectory(this.#hidden);
      await this.disk.rename(path, hidden);
    }
  }

  /** Does `work` with what is hidden under `name`; where that fails, puts it back. */
  async #orPutBack<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#mayHide = true;
      await this.#putBack(name).catch(() => {});
      throw error;
    }
  }

  async #putBack(name: string): Promise<void> {
    const hidden = join(this.#hidden, name);
    if (this.#stat(hidden, name) === undefined) return;
    await this.#names.give(hidden, this.directory, name);
    // In this order also after a power cut: it has its name before it loses the other one.
    await this.disk.syncDirectory(this.directory);
    await this.disk.remove(hidden);
  }

  async #moveHidden(hidden: string, directory: string, name: string): Promise<void> {
    try {
      await this.#names.give(hidden, directory, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
      await this.#copy(hidden, directory, name);
    }
    await this.disk.remove(hidden);
  }

  /** To another disk: whole and synced under a hidden name there, then as within one disk. */
  async #copy(hidden: string, directory: string, name: string): Promise<void> {
    const there = join(directory, hiddenName);
    await this.disk.makeDirectory(there);
    const copy = join(there, name);
    await this.disk.replaceFile(copy, await this.disk.readFile(hidden));
    await this.#names.give(copy, directory, name);
    await this.disk.syncDirectory(directory);
    await this.disk.remove(copy);
  }

  #stat(path: string, name: string): MailFile | undefined {
    const stat = this.disk.statSync(path);
    return stat?.kind === 'file' ? describe(name, stat) : undefined;
  }
}

function describe(name: string, stat: ReturnType<DiskFile['statSync']>): MailFile {
  const { device, inode, size, modifiedMs } = stat;
  return { name, device, inode, size, modified_ms: modifiedMs };
}

/** False where the file is shorter. */
async function fill(file: DiskFile, content: Buffer): Promise<boolean> {
  for (let at = 0; at < content.length; ) {
    const rest = content.length - at;
    const count =
      rest <= maxSyncReadBytes
        ? file.readSync(content, at, rest, at)
        : await file.read(content, at, rest, at);
    if (count === 0) return false;
    at += count;
  }
  return true;
}
