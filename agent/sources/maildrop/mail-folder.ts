import { join } from 'node:path';
import { z } from '../../../config/index.js';
import type { Disk } from '../../../system/index.js';

/** Where mails go that cannot be sent. */
const failedName = 'failed';

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

/** The drop directory. */
export class MailFolder {
  constructor(
    private readonly disk: Disk,
    readonly directory: string,
  ) {}

  pathOf(mail: MailFile): string {
    return join(this.directory, mail.name);
  }

  /** The files in it, oldest first; none where the directory is missing. */
  async list(): Promise<MailFile[]> {
    const names = await this.disk.list(this.directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const mails: MailFile[] = [];
    for (const name of names) {
      if (name.startsWith('.')) continue;
      const stat = this.disk.statSync(join(this.directory, name));
      if (stat?.kind !== 'file') continue;
      const { device, inode, size, modifiedMs } = stat;
      mails.push({ name, device, inode, size, modified_ms: modifiedMs });
    }
    return mails.sort((a, b) => a.modified_ms - b.modified_ms || (a.name < b.name ? -1 : 1));
  }

  read(mail: MailFile): Promise<Buffer> {
    return this.disk.readFile(this.pathOf(mail));
  }

  remove(mail: MailFile): Promise<void> {
    return this.disk.remove(this.pathOf(mail));
  }

  /** Moves a mail to another directory, which may lie on another disk. */
  async move(mail: MailFile, directory: string): Promise<void> {
    await this.disk.makeDirectory(directory);
    const target = await this.#freeName(directory, mail.name);
    try {
      await this.disk.rename(this.pathOf(mail), target);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
      await this.disk.replaceFile(target, await this.read(mail));
      await this.remove(mail);
    }
  }

  /** Moves a mail that cannot be sent to `failed/`, beside a file with the reason. */
  async reject(mail: MailFile, reason: string): Promise<void> {
    const directory = join(this.directory, failedName);
    await this.disk.makeDirectory(directory);
    const target = await this.#freeName(directory, mail.name);
    await this.disk.replaceFile(`${target}.reason`, `${reason}\n`);
    await this.disk.rename(this.pathOf(mail), target);
  }

  async #freeName(directory: string, name: string): Promise<string> {
    for (let number = 0; ; number++) {
      const path = join(directory, number === 0 ? name : `${name}.${number}`);
      if ((await this.disk.stat(path)) === undefined) return path;
    }
  }
}
