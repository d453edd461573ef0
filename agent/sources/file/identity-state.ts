import type { Generation } from './generation.js';

/** All that `step` knows and changes. */
export interface IdentityState {
  readonly generations: Map<number, Generation>;
  /** By device and inode: the one generation that is reading, or undecided about, that file. */
  readonly owners: Map<string, Generation>;
  /** The paths that matched at the last look. */
  paths: ReadonlySet<string>;
  /** The origins of all generations but undecided ones. */
  origins: Set<string>;
  /** When the last look began, ms since the epoch; null before the very first one. */
  lookedMs: number | null;
  nextId: number;
  /** The first look of a source with `read_from: end`: what is there already is passed over. */
  skipsContent: boolean;
}

/** Device and inode as a key. */
export function inodeKey(file: { device: number; inode: number }): string {
  return `${file.device}:${file.inode}`;
}

/** Whether the generation stands for the file at its inode. */
export function isOwner(generation: Generation): boolean {
  return generation.state === 'reading' || generation.state === 'undecided';
}

/** What `origins` has to be. */
export function originsOf(generations: Iterable<Generation>): Set<string> {
  const origins = new Set<string>();
  for (const one of generations) if (one.state !== 'undecided') origins.add(one.origin);
  return origins;
}
