import { join } from 'node:path';
import type { Disk, FileStat, Log } from '../../../system/index.js';
import { compileGlob, type Glob } from './glob.js';
import type { Sighting } from './identity-events.js';
import { inodeKey } from './identity-state.js';
import { earlierNames } from './rotation-name.js';

/** Finds the files that `include` asks for and `exclude` does not refuse. */
export class Lister {
  readonly #include: readonly Glob[];
  readonly #exclude: readonly Glob[];
  /** Directories that could not be listed; said once each. */
  readonly #unreadable = new Set<string>();
  #hidden: string[] = [];

  /** The globs are absolute. */
  constructor(
    private readonly disk: Disk,
    private readonly log: Log,
    include: readonly string[],
    exclude: readonly string[],
  ) {
    this.#include = include.map(compileGlob);
    this.#exclude = exclude.map(compileGlob);
  }

  /** The directories to watch. */
  get roots(): { path: string; recursive: boolean }[] {
    return this.#include.map(({ base, recursive }) => ({ path: base, recursive }));
  }

  /** What the last look could not see: paths, and directories with all below them. */
  get hidden(): readonly string[] {
    return this.#hidden;
  }

  /** Whether a change at `path` can matter. */
  concerns(path: string): boolean {
    return this.#include.some((glob) => glob.matches(path) || glob.mayHold(path));
  }

  /**
   * One look at all directories, the oldest files first: those that match, and those beside them
   * whose name tells of rotation.
   * @param besides lists all that lie beside them, whatever they are called.
   */
  look(besides: boolean): Sighting[] {
    const found = new Map<string, Sighting>();
    const visited = new Set<string>();
    this.#hidden = [];
    for (const { base } of this.#include) {
      const stat = this.#stat(base);
      if (stat?.kind === 'directory') this.#walk(base, stat, besides, visited, found);
    }
    return [...found.values()].sort(byAge);
  }

  #walk(
    directory: string,
    stat: FileStat,
    besides: boolean,
    visited: Set<string>,
    found: Map<string, Sighting>,
  ): void {
    // Links may lead in circles.
    if (visited.has(inodeKey(stat))) return;
    visited.add(inodeKey(stat));
    for (const name of this.#list(directory)) {
      const path = join(directory, name);
      const matched = this.#matches(path);
      const mayHold = this.#include.some((glob) => glob.mayHold(path));
      const isListed = matched || besides || earlierNames(path).length > 0;
      if (!isListed && !mayHold) continue;
      const entry = this.#stat(path);
      if (entry?.kind === 'directory' && mayHold) {
        this.#walk(path, entry, besides, visited, found);
      } else if (entry?.kind === 'file' && isListed) {
        const { device, inode, size, modifiedMs } = entry;
        const compressed = path.endsWith('.gz');
        found.set(path, { path, device, inode, size, modifiedMs, compressed, matched });
      }
    }
  }

  #matches(path: string): boolean {
    if (!this.#include.some((glob) => glob.matches(path))) return false;
    return !this.#exclude.some((glob) => glob.matches(path));
  }

  #list(directory: string): string[] {
    try {
      const names = this.disk.listSync(directory);
      this.#unreadable.delete(directory);
      return names;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') this.#hidden.push(directory);
      if (code !== 'ENOENT' && !this.#unreadable.has(directory)) {
        this.#unreadable.add(directory);
        this.log.warn(`cannot list ${directory}; trying again`, { error });
      }
      return [];
    }
  }

  #stat(path: string): FileStat | undefined {
    try {
      return this.disk.statSync(path);
    } catch {
      // A path that cannot be looked at is met again at the next look.
      this.#hidden.push(path);
      return undefined;
    }
  }
}

/** Rotation counts up, so of files of one age `a.log.2` is older than `a.log.1` and `a.log`. */
function byAge(a: Sighting, b: Sighting): number {
  if (a.modifiedMs !== b.modifiedMs) return a.modifiedMs - b.modifiedMs;
  return b.path.length - a.path.length || (a.path < b.path ? 1 : -1);
}
