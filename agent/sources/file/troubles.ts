import type { Problems } from '../../../system/index.js';
import { reasonOf } from '../../refusal.js';

/** What cannot be opened or read, by path: problems for as long as they last. */
export class Troubles {
  readonly #standing = new Map<string, string>();

  constructor(private readonly problems: Problems) {}

  /** @param what such as `cannot read`. */
  raise(path: string, what: string, error: unknown): void {
    const text = `${what} ${path}: ${reasonOf(error)}`;
    this.#standing.set(path, text);
    this.problems.raise(idOf(path), `${text}; trying again`);
  }

  clear(path: string): void {
    if (this.#standing.delete(path)) this.problems.clear(idOf(path));
  }

  /** Those at other paths have gone with their files. */
  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of this.#standing.keys()) if (!paths.has(path)) this.clear(path);
  }

  /** A sentence for each. */
  list(): readonly string[] {
    return [...this.#standing.values()];
  }
}

function idOf(path: string): string {
  return `file ${path}`;
}
