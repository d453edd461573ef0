import type { Generation, MutableGeneration } from './generation.js';

/** All that `step` knows and changes. */
export interface MutableIdentity {
  readonly generations: Map<number, MutableGeneration>;
  /** By device and inode: the one generation that is reading, or undecided about, that file. */
  readonly owners: Map<string, MutableGeneration>;
  /** The paths that matched at the last look. */
  paths: ReadonlySet<string>;
  /** The origins of all generations but undecided ones. */
  origins: Set<string>;
  /** When the last look began, ms since the epoch; null before the very first one. */
  lookedMs: number | null;
  /** The look under way: its `lookedMs` once it has settled. */
  lookingMs: number | null;
  /** Generations from this id on were found by the look under way. */
  foundFrom: number;
  /** Greater than every id and every order. */
  nextId: number;
  /** The first look of a source with `read_from: end`: what is there already is passed over. */
  skipsContent: boolean;
}

/** What others see of it. */
export interface IdentityState {
  readonly generations: ReadonlyMap<number, Generation>;
  readonly lookedMs: number | null;
  readonly nextId: number;
}

/** Device and inode as a key. */
export function inodeKey(file: { device: number; inode: number }): string {
  return `${file.device}:${file.inode}`;
}

/** Whether the generation stands for the file at its inode. */
export function isOwner(generation: MutableGeneration): boolean {
  return generation.state === 'reading' || generation.state === 'undecided';
}

/** What `origins` has to be. */
export function originsOf(generations: Iterable<MutableGeneration>): Set<string> {
  const origins = new Set<string>();
  for (const one of generations) if (one.state !== 'undecided') origins.add(one.origin);
  return origins;
}
