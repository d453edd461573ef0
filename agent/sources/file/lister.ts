import { join } from 'node:path';
import type { Disk, FileStat, Problems } from '../../../system/index.js';
import { compileGlob, type Glob } from './glob.js';
import type { Sighting } from './identity-events.js';
import { inodeKey } from './identity-state.js';
import { earlierNames } from './rotation-name.js';

/** Finds the files that `include` asks for and `exclude` does not refuse. */
export class Lister {
  readonly #include: readonly Glob[];
  readonly #exclude: readonly Glob[];
  /** Directories that cannot be listed. */
  readonly #unreadable = new Set<string>();
  #hidden: string[] = [];
  /** Which globs matched something in the last look. */
  readonly #matching = new Set<Glob>();

  /** The globs are absolute. */
  constructor(
    private readonly disk: Disk,
    private readonly problems: Pick<Problems, 'raise' | 'clear'>,
    private readonly patterns: readonly string[],
    exclude: readonly string[],
  ) {
    this.#include = patterns.map(compileGlob);
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

  /** A sentence for each directory that cannot be listed. */
  unlisted(): readonly string[] {
    return [...this.#unreadable].map((directory) => `cannot list ${directory}`);
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
    this.#matching.clear();
    for (const { base } of this.#include) {
      const stat = this.#stat(base);
      if (stat?.kind === 'directory') this.#walk(base, stat, besides, visited, found);
    }
    this.#sayWhatIsMissing();
    return [...found.values()].sort(byAge);
  }

  /** One sentence for each glob that matches nothing, undefined for one that does. */
  missing(): readonly (string | undefined)[] {
    return this.#include.map((glob, index) => {
      if (this.#matching.has(glob)) return undefined;
      // What rotation will have compressed is not missing before it has.
      if (this.patterns[index]?.endsWith('.gz') && this.#matching.size > 0) return undefined;
      const isThere = this.#stat(glob.base)?.kind === 'directory';
      const why = isThere ? '' : `: there is no directory ${glob.base}`;
      return `nothing matches ${this.patterns[index]}${why}; files are awaited`;
    });
  }

  #sayWhatIsMissing(): void {
    for (const [index, text] of this.missing().entries()) {
      const id = `glob ${this.patterns[index]}`;
      if (text === undefined) this.problems.clear(id);
      else this.problems.raise(id, text);
    }
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
    let isIncluded = false;
    for (const glob of this.#include) {
      if (isIncluded && this.#matching.has(glob)) continue;
      if (!glob.matches(path)) continue;
      isIncluded = true;
      this.#matching.add(glob);
    }
    if (!isIncluded) return false;
    return !this.#exclude.some((glob) => glob.matches(path));
  }

  #list(directory: string): string[] {
    try {
      const names = this.disk.listSync(directory);
      this.#noteReadable(directory);
      return names;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') {
        this.#noteReadable(directory);
        return [];
      }
      this.#hidden.push(directory);
      this.#unreadable.add(directory);
      const text = `cannot list ${directory}: make it readable for this user; trying again`;
      this.problems.raise(`directory ${directory}`, text, { error });
      return [];
    }
  }

  #noteReadable(directory: string): void {
    if (this.#unreadable.delete(directory)) this.problems.clear(`directory ${directory}`);
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
