import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { pathFromBytes } from '../path-bytes.js';
import type { Problems } from '../problems.js';
import type { Watch, WatchEvents, WatchRoot } from '../watch.js';
import { native } from './disk-path.js';

/** How often a root is looked at: whether it has come, gone, or is another directory now. */
const rootCheckMs = 1000;
/** How often all directories below a root are: hints can be lost, and limits be raised. */
const treeCheckMs = 60_000;

/** Discovery by `fs.watch`, one watcher per directory. */
export function createWatch(problems: Problems): Watch {
  let unwatched = 0;
  const limits: Limits = {
    failed: (path, error) => {
      unwatched++;
      problems.raise('watch', wordsFor(path, error));
    },
    mended: () => {
      if (--unwatched === 0) problems.clear('watch');
    },
  };
  return {
    directories: async (roots, events) => {
      const watched = roots.map((root) => new WatchedRoot(root, events, limits));
      return {
        close: async () => {
          for (const root of watched) root.close();
        },
      };
    },
  };
}

/** Counts the directories of this process that cannot be watched. */
interface Limits {
  failed(path: string, error: NodeJS.ErrnoException): void;
  mended(): void;
}

interface WatchedDirectory {
  readonly path: string;
  /** Device and inode. */
  readonly identity: string;
  /** undefined where it could not be watched. */
  readonly watcher: FSWatcher | undefined;
}

/** One root and, where it is recursive, the directories below it; links are followed. */
class WatchedRoot {
  readonly #root: WatchRoot;
  readonly #events: WatchEvents;
  readonly #limits: Limits;
  /** By path. */
  readonly #directories = new Map<string, WatchedDirectory>();
  /** Links may lead in circles: each directory is watched under one path. */
  readonly #identities = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #nextTreeCheckMs = performance.now() + treeCheckMs;

  constructor(root: WatchRoot, events: WatchEvents, limits: Limits) {
    this.#root = root;
    this.#events = events;
    this.#limits = limits;
    this.#see(root.path);
    this.#timer = setInterval(() => this.#check(), rootCheckMs);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const directory of this.#directories.values()) this.#forget(directory);
  }

  /** No event tells that a root has gone, been replaced or come at last. */
  #check(): void {
    this.#see(this.#root.path);
    if (performance.now() < this.#nextTreeCheckMs) return;
    this.#nextTreeCheckMs = performance.now() + treeCheckMs;
    for (const directory of [...this.#directories.values()]) {
      if (directory.watcher === undefined) this.#forget(directory);
      this.#see(directory.path);
      if (this.#root.recursive) this.#lookBelow(directory.path);
    }
  }

  /** Makes sure that the directory that is at `path` now is watched, and no other. */
  #see(path: string): void {
    const known = this.#directories.get(path);
    const identity = identityOf(path);
    if (known?.identity === identity) return;
    if (known) {
      this.#forgetBelow(path);
      this.#events.onChange(path);
    }
    if (identity === undefined || this.#identities.has(identity)) return;
    this.#identities.add(identity);
    this.#directories.set(path, { path, identity, watcher: this.#open(path) });
    // What stands in it may have come before it was watched.
    this.#events.onChange(path);
    if (this.#root.recursive) this.#lookBelow(path);
  }

  #lookBelow(path: string): void {
    try {
      for (const entry of readdirSync(native(path), { withFileTypes: true, encoding: 'buffer' })) {
        const below = join(path, pathFromBytes(entry.name));
        if (entry.isDirectory() || entry.isSymbolicLink()) this.#see(below);
      }
    } catch {
      // It has gone again, which is an event of its own, or only its owner may list it.
    }
  }

  #open(path: string): FSWatcher | undefined {
    try {
      const watcher = watch(native(path), { encoding: 'buffer' });
      watcher.on('change', (event: string, name: Buffer | null) => {
        this.#onEvent(path, event, name);
      });
      // The next check finds out what has become of the directory.
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch (error) {
      this.#limits.failed(path, error as NodeJS.ErrnoException);
      return undefined;
    }
  }

  #onEvent(directory: string, event: string, name: Buffer | null): void {
    const path = name ? join(directory, pathFromBytes(name)) : directory;
    // A name came or went: it may be a directory's.
    if (event === 'rename' && this.#root.recursive) this.#see(path);
    this.#events.onChange(path);
  }

  #forgetBelow(path: string): void {
    for (const directory of [...this.#directories.values()]) {
      if (directory.path === path || directory.path.startsWith(`${path}/`)) this.#forget(directory);
    }
  }

  #forget({ path, identity, watcher }: WatchedDirectory): void {
    this.#directories.delete(path);
    this.#identities.delete(identity);
    if (watcher) watcher.close();
    else this.#limits.mended();
  }
}

/** The directory's device and inode; undefined where there is no directory. */
function identityOf(path: string): string | undefined {
  try {
    const stats = statSync(native(path), { throwIfNoEntry: false });
    return stats?.isDirectory() ? `${stats.dev}:${stats.ino}` : undefined;
  } catch {
    return undefined;
  }
}

function wordsFor(path: string, { code, message }: NodeJS.ErrnoException): string {
  const limit =
    code === 'ENOSPC'
      ? ': raise fs.inotify.max_user_watches (sysctl)'
      : code === 'EMFILE'
        ? ': raise fs.inotify.max_user_instances (sysctl), or the limit of open files'
        : '';
  return (
    `${path} cannot be watched for changes (${message})${limit}. ` +
    'It is looked at every second instead'
  );
}
