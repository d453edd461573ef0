import { FileContent } from './file-content.js';
import type { SeededRandom } from './random.js';

/** A file, directory or symbolic link. */
export class Inode {
  links = 0;
  /** Open handles. */
  handles = 0;
  modifiedMs = 0;
  readonly content = new FileContent();
  readonly entries = new Map<string, Inode>();
  /** The entries a power cut leaves. */
  readonly durableEntries = new Map<string, Inode>();
  target = '';

  constructor(
    public number: number,
    readonly kind: 'file' | 'directory' | 'link',
  ) {}
}

interface Edit {
  readonly directory: Inode;
  readonly name: string;
  /** undefined: the name goes. */
  readonly inode: Inode | undefined;
}

/**
 * The names on one disk. A change is what becomes durable as one (a rename is two edits); changes
 * wait here, in order, until one of their directories is synced.
 */
export class Tree {
  readonly root: Inode;
  #changes: (readonly Edit[])[] = [];
  #nextNumber = 2;
  /** Numbers of removed files: reused at once, last in first out, as ext4 does. */
  readonly #freeNumbers: number[] = [];

  constructor() {
    this.root = new Inode(this.#nextNumber++, 'directory');
    this.root.links = 1;
  }

  create(kind: Inode['kind']): Inode {
    return new Inode(this.#freeNumbers.pop() ?? this.#nextNumber++, kind);
  }

  change(edits: readonly Edit[]): void {
    for (const { directory, name, inode } of edits) {
      const replaced = directory.entries.get(name);
      if (inode) {
        inode.links++;
        directory.entries.set(name, inode);
      } else directory.entries.delete(name);
      if (replaced) {
        replaced.links--;
        this.release(replaced);
      }
    }
    this.#changes.push(edits);
  }

  /** Frees the inode once nothing refers to it. */
  release(inode: Inode): void {
    if (inode.links === 0 && inode.handles === 0) this.#freeNumbers.push(inode.number);
  }

  /** Makes this directory's changes durable, and all that they build on. */
  sync(directory: Inode): void {
    const touched = new Set([directory]);
    const kept: (readonly Edit[])[] = [];
    const durable: (readonly Edit[])[] = [];
    for (const change of this.#changes.toReversed()) {
      const touches = change.some((edit) => touched.has(edit.directory));
      (touches ? durable : kept).push(change);
      if (touches) for (const edit of change) touched.add(edit.directory);
    }
    for (const change of durable.reverse()) persist(change);
    this.#changes = kept.reverse();
  }

  /** Of what was not synced some survives, in the order of each directory; the rest is gone. */
  losePower(random: SeededRandom): void {
    const survival = [0, 0.5, 0.9, 1][random.below(4)] ?? 0;
    const cut = new Set<Inode>();
    for (const change of this.#changes) {
      const blocked = change.some((edit) => cut.has(edit.directory));
      if (!blocked && random.chance(survival)) persist(change);
      else for (const edit of change) cut.add(edit.directory);
    }
    this.#changes = [];
    this.#reload(random);
  }

  /** The tree as found after the reboot. */
  #reload(random: SeededRandom): void {
    const seen = new Set<Inode>();
    const numbers = new Set<number>();
    const visit = (inode: Inode) => {
      inode.links++;
      if (seen.has(inode)) return;
      seen.add(inode);
      // A removal that was lost brings back a file whose number had been given away.
      if (numbers.has(inode.number)) inode.number = this.#nextNumber++;
      numbers.add(inode.number);
      inode.handles = 0;
      inode.content.losePower(random);
      inode.entries.clear();
      for (const [name, child] of inode.durableEntries) {
        inode.entries.set(name, child);
        if (!seen.has(child)) child.links = 0;
        visit(child);
      }
    };
    this.root.links = 0;
    visit(this.root);
    this.#freeNumbers.length = 0;
  }
}

function persist(change: readonly Edit[]): void {
  for (const { directory, name, inode } of change) {
    if (inode) directory.durableEntries.set(name, inode);
    else directory.durableEntries.delete(name);
  }
}
