import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FSWatcher } from 'chokidar';
import { detach } from '../detach.js';
import type { Watch, WatchEvents } from '../watch.js';

/** How often a root is looked at: whether it has come, gone, or is another directory now. */
const rootCheckMs = 1000;

interface Root {
  readonly path: string;
  readonly recursive: boolean;
}

/** Discovery by chokidar, loaded on first use. */
export function createWatch(): Watch {
  return {
    directories: async (roots, events) => {
      const watched = roots.map((root) => new WatchedRoot(root, events));
      await Promise.all(watched.map((root) => root.open()));
      return {
        close: async () => {
          await Promise.all(watched.map((root) => root.close()));
        },
      };
    },
  };
}

/**
 * One root with its own chokidar, which is shown directories only: a watcher per file would cost
 * a descriptor and memory for each. What happens to files arrives as the directory's raw events.
 */
class WatchedRoot {
  readonly #root: Root;
  readonly #events: WatchEvents;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Of the directory that is watched; undefined while there is none. */
  #inode: number | undefined;
  #closed = false;

  constructor(root: Root, events: WatchEvents) {
    this.#root = root;
    this.#events = events;
  }

  async open(): Promise<void> {
    this.#inode = inodeOf(this.#root.path);
    this.#checkLater();
    if (this.#inode === undefined) return;
    const { watch } = await import('chokidar');
    if (this.#closed) return;
    const watcher = watch(this.#root.path, {
      ignored: (path, stats) => stats !== undefined && !isWatchable(path, stats),
      ...(this.#root.recursive ? {} : { depth: 0 }),
    });
    this.#watcher = watcher;
    watcher.on('raw', (_event, name, details) => {
      const { watchedPath } = details as { watchedPath?: string };
      const directory = watchedPath ?? this.#root.path;
      this.#events.onChange(name ? join(directory, name) : directory);
    });
    watcher.on('addDir', (path) => this.#announce(path));
    watcher.on('unlinkDir', (path) => this.#events.onChange(path));
    watcher.on('error', (error) => {
      this.#events.onError(error instanceof Error ? error : new Error(String(error)));
    });
    await new Promise<void>((resolve) => watcher.once('ready', resolve));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#watcher?.close();
  }

  /** Files may have come before the directory was watched; raw events told of none of them. */
  #announce(directory: string): void {
    this.#events.onChange(directory);
    try {
      for (const name of readdirSync(directory)) this.#events.onChange(join(directory, name));
    } catch {
      // It has gone again; that is an event of its own.
    }
  }

  /** No event tells that a root has gone, been replaced or come at last. */
  #checkLater(): void {
    this.#timer = setTimeout(() => {
      if (inodeOf(this.#root.path) === this.#inode) this.#checkLater();
      else detach(this.#reopen(), (error) => this.#events.onError(error as Error));
    }, rootCheckMs);
  }

  async #reopen(): Promise<void> {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    await watcher?.close();
    if (this.#closed) return;
    this.#events.onChange(this.#root.path);
    await this.open();
  }
}

function isWatchable(
  path: string,
  stats: { isDirectory(): boolean; isSymbolicLink(): boolean },
): boolean {
  return stats.isDirectory() || (stats.isSymbolicLink() && isDirectory(path));
}

function isDirectory(path: string): boolean {
  return inodeOf(path) !== undefined;
}

/** The directory's inode; undefined where there is no directory. */
function inodeOf(path: string): number | undefined {
  try {
    const stats = statSync(path);
    return stats.isDirectory() ? stats.ino : undefined;
  } catch {
    return undefined;
  }
}
