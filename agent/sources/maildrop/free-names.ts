import { join } from 'node:path';
import { type Disk, type FileStat, pathFromBytes, pathToBytes } from '../../../system/index.js';

/** The longest name that common file systems take, and what may come behind it. */
const maxNameBytes = 255;
const roomBytes = '.1000000.reason.tmp'.length;

/** What a file system says that has no hard links. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

const maxRemembered = 10_000;

/** Gives files names that nobody has: `name`, else the first of `name.1`, `name.2` … */
export class FreeNames {
  /** By path, up to which number the names were taken: a name that is used daily has thousands. */
  readonly #taken = new Map<string, number>();

  constructor(private readonly disk: Disk) {}

  /**
   * Gives the file at `from` such a name in `directory`; nothing is ever overwritten. It keeps its
   * old name too, unless the file system has no hard links. One that has such a name already is
   * left with it.
   * @returns its new path.
   */
  async give(from: string, directory: string, name: string): Promise<string> {
    const file = await this.disk.stat(from);
    const first = join(directory, name);
    const base = join(directory, shortened(name));
    for (let number = 0; ; number++) {
      const path = number === 0 ? first : `${base}.${number}`;
      const other = await this.disk.stat(path);
      if (other && file && isSameFile(file, other)) return path;
      if (other === undefined && (await this.#link(from, path))) {
        if (number > 0) this.#remember(first, number);
        return path;
      }
      if (number === 0) number = this.#taken.get(first) ?? 0;
    }
  }

  #remember(path: string, number: number): void {
    if (this.#taken.size >= maxRemembered) this.#taken.clear();
    this.#taken.set(path, number);
  }

  /** False where somebody else took the name first. */
  async #link(from: string, to: string): Promise<boolean> {
    try {
      await this.disk.link(from, to);
      return true;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return false;
      if (!noLinks.has(code)) throw error;
      await this.disk.rename(from, to);
      return true;
    }
  }
}

/** The name, cut so that a number and `.reason` may follow. */
export function shortened(name: string): string {
  const bytes = pathToBytes(name);
  const room = maxNameBytes - roomBytes;
  return bytes.length <= room ? name : pathFromBytes(bytes.subarray(0, room));
}

function isSameFile(a: FileStat, b: FileStat): boolean {
  return a.device === b.device && a.inode === b.inode;
}
