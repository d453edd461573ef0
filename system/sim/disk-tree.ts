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

interface Change {
  readonly edits: readonly Edit[];
  /** Whose order it keeps: a removed directory's entries went before it did. */
  readonly directories: ReadonlySet<Inode>;
}

/**
 * The names on one disk. A change is what becomes durable as one (a rename is two edits); changes
 * wait here, in order, until one of their directories is synced.
 */
export class Tree {
  readonly root: Inode;
  #changes: Change[] = [];
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
    const directories = new Set(edits.map(({ directory }) => directory));
    const replacedOnes: Inode[] = [];
    for (const { directory, name, inode } of edits) {
      const replaced = directory.entries.get(name);
      if (inode) {
        inode.links++;
        directory.entries.set(name, inode);
      } else directory.entries.delete(name);
      if (replaced) {
        replaced.links--;
        replacedOnes.push(replaced);
        this.release(replaced);
      }
    }
    for (const inode of replacedOnes) {
      if (inode.kind === 'directory' && inode.links === 0) directories.add(inode);
    }
    this.#changes.push({ edits, directories });
  }

  /** Frees the inode once nothing refers to it. */
  release(inode: Inode): void {
    if (inode.links === 0 && inode.handles === 0) this.#freeNumbers.push(inode.number);
  }

  /** Makes this directory's changes durable, and all that they build on. */
  sync(directory: Inode): void {
    const touched = new Set([directory]);
    const kept: Change[] = [];
    const durable: Change[] = [];
    for (const change of this.#changes.toReversed()) {
      const touches = meets(change, touched);
      (touches ? durable : kept).push(change);
      if (touches) for (const inode of change.directories) touched.add(inode);
    }
    for (const change of durable.reverse()) persist(change);
    this.#changes = kept.reverse();
  }

  /** Of what was not synced some survives, in the order of each directory; the rest is gone. */
  losePower(random: SeededRandom): void {
    const survival = [0, 0.5, 0.9, 1][random.below(4)] ?? 0;
    const cut = new Set<Inode>();
    for (const change of this.#changes) {
      if (!meets(change, cut) && random.chance(survival)) persist(change);
      else for (const inode of change.directories) cut.add(inode);
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

function meets({ directories }: Change, others: ReadonlySet<Inode>): boolean {
  for (const inode of directories) if (others.has(inode)) return true;
  return false;
}

function persist({ edits }: Change): void {
  for (const { directory, name, inode } of edits) {
    if (inode) directory.durableEntries.set(name, inode);
    else directory.durableEntries.delete(name);
  }
}
