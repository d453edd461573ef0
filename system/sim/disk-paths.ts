import { posix } from 'node:path';
import { type Inode, Tree } from './disk-tree.js';
import type { SeededRandom } from './random.js';

/** An error as Node's file system gives it. */
export function diskError(code: string, call: string, path: string): Error {
  const message = `${code}: ${meanings[code] ?? 'failed'}, ${call} '${path}'`;
  return Object.assign(new Error(message), { code, syscall: call, path });
}

const meanings: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EEXIST: 'file already exists',
  ENOTDIR: 'not a directory',
  EISDIR: 'illegal operation on a directory',
  ENOTEMPTY: 'directory not empty',
  EBADF: 'bad file descriptor',
  ELOOP: 'too many symbolic links encountered',
  ENOSPC: 'no space left on device',
  EMFILE: 'too many open files',
  ENFILE: 'file table overflow',
  EROFS: 'read-only file system',
  EIO: 'i/o error',
};

const maxLinksFollowed = 40;

/** Where a name is, or would be. */
export interface Place {
  readonly directory: Inode;
  readonly name: string;
  /** undefined where nothing is there. */
  readonly inode: Inode | undefined;
  /** Without symbolic links. */
  readonly path: string;
}

/** An operation about to happen, shown to fault rules. */
export interface DiskOperation {
  readonly process: string;
  readonly call:
    | 'open'
    | 'read'
    | 'write'
    | 'sync'
    | 'truncate'
    | 'rename'
    | 'link'
    | 'remove'
    | 'mkdir';
  readonly path: string;
  /** It makes a file or folder that was not there: takes an inode. */
  readonly creates?: boolean;
  /** It needs a descriptor that it does not have yet. */
  readonly opens?: boolean;
}

/** A rule returns the code of the error to throw (ENOSPC, EIO …), or undefined. */
export type DiskFault = (operation: DiskOperation) => string | undefined;

/** One machine's disk, shared by its processes. */
export class SimVolume {
  readonly tree = new Tree();
  readonly #random: SeededRandom;
  readonly #faults = new Set<DiskFault>();
  readonly #observers = new Set<(path: string) => void>();
  /** Bytes of content that fit; a write beyond is cut short and throws ENOSPC. */
  capacityBytes = Number.POSITIVE_INFINITY;
  usedBytes = 0;
  /** As on many mounts: `A` and `a` name the same file. */
  ignoresCase = false;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Adds a rule that may make operations fail; returns what takes it away again. */
  inject(fault: DiskFault): () => void {
    this.#faults.add(fault);
    return () => this.#faults.delete(fault);
  }

  /** Creates a symbolic link; one that is there is replaced, as by `ln -sfn`. */
  symlink(target: string, path: string): void {
    const place = this.locate(path, 'symlink', false);
    const inode = this.tree.create('link');
    inode.target = target;
    this.tree.change([{ directory: place.directory, name: place.name, inode }]);
    this.changed(place.path);
  }

  /** Keeps what was synced and, torn anywhere, some of what was not. */
  losePower(): void {
    this.tree.losePower(this.#random);
  }

  /** Calls back for every path whose file or name has changed. */
  observe(observer: (path: string) => void): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  changed(path: string): void {
    for (const observer of this.#observers) observer(path);
  }

  /** The error the rules want for this operation. */
  faultOf(operation: DiskOperation): Error | undefined {
    for (const fault of this.#faults) {
      const code = fault(operation);
      if (code !== undefined) return diskError(code, operation.call, operation.path);
    }
    return undefined;
  }

  /** As the directory has it, where case does not matter. */
  #nameIn({ entries }: Inode, name: string): string {
    if (!this.ignoresCase || entries.has(name)) return name;
    const wanted = name.toLowerCase();
    return [...entries.keys()].find((known) => known.toLowerCase() === wanted) ?? name;
  }

  /** Finds a path; its directory must exist. `follow` the last name too where it is a link. */
  locate(path: string, call: string, follow: boolean): Place {
    let pending = namesOf(path);
    let linksFollowed = 0;
    let parents: { inode: Inode; name: string }[] = [{ inode: this.tree.root, name: '' }];
    for (;;) {
      const given = pending.shift();
      const directory = (parents.at(-1) as { inode: Inode }).inode;
      const name = given === undefined ? undefined : this.#nameIn(directory, given);
      if (name === undefined) return this.#placeOfDirectory(parents);
      if (name === '..') {
        if (parents.length > 1) parents.pop();
        continue;
      }
      if (directory.kind !== 'directory') throw diskError('ENOTDIR', call, path);
      const inode = directory.entries.get(name);
      const isLast = pending.length === 0;
      if (inode?.kind === 'link' && (!isLast || follow)) {
        if (++linksFollowed > maxLinksFollowed) throw diskError('ELOOP', call, path);
        if (inode.target.startsWith('/')) parents = parents.slice(0, 1);
        pending = [...rawNamesOf(inode.target), ...pending];
        continue;
      }
      if (isLast) {
        const at = `/${[...parents.slice(1).map((parent) => parent.name), name].join('/')}`;
        return { directory, name, inode, path: at };
      }
      if (inode === undefined) throw diskError('ENOENT', call, path);
      parents.push({ inode, name });
    }
  }

  #placeOfDirectory(parents: readonly { inode: Inode; name: string }[]): Place {
    const last = parents.at(-1) as { inode: Inode; name: string };
    const directory = parents.at(-2)?.inode ?? last.inode;
    const path = `/${parents
      .slice(1)
      .map((parent) => parent.name)
      .join('/')}`;
    return { directory, name: last.name, inode: last.inode, path };
  }
}

function namesOf(path: string): string[] {
  return rawNamesOf(posix.resolve('/', path));
}

function rawNamesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}
