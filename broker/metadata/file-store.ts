import { dirname } from 'node:path';
import type { Disk } from '../../system/index.js';
import { BrokerError } from '../broker-error.js';
import type { Change, Json, MetadataStore, Versioned } from './store.js';

const FORMAT = 1;

/** A reserve is made in steps of so many bytes, so that it is rarely made anew. */
const RESERVE_STEP_BYTES = 16_384;

interface Watcher {
  readonly prefix: string;
  readonly onChange: (key: string, entry: Versioned | undefined) => void;
}

/**
 * The metadata of a single node, in one JSON file that is replaced as a whole by each change. A
 * file beside it keeps the space of one change: a start after a kill makes one, and must be
 * possible on a full disk, or the broker could not serve what is in its logs.
 */
export class FileMetadataStore implements MetadataStore {
  private entries: ReadonlyMap<string, Versioned>;
  private readonly watchers = new Set<Watcher>();
  /** Changes are made one after the other; resolves when the last one is. */
  private lastChange: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly disk: Disk,
    private readonly path: string,
    private revision: number,
    entries: Iterable<[string, Versioned]>,
  ) {
    this.entries = new Map(entries);
  }

  /** Opens the file, or starts an empty store that the first change writes. */
  static open(disk: Disk, path: string): FileMetadataStore {
    if (disk.statSync(path) === undefined) return new FileMetadataStore(disk, path, 0, []);
    const { revision, entries } = parse(path, disk.readFileSync(path).toString());
    return new FileMetadataStore(disk, path, revision, entries);
  }

  async get(prefix: string): Promise<ReadonlyMap<string, Versioned>> {
    return new Map([...this.entries].filter(([key]) => key.startsWith(prefix)));
  }

  watch(prefix: string, onChange: Watcher['onChange']): () => void {
    const watcher = { prefix, onChange };
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  compareAndSwap(changes: readonly Change[]): Promise<boolean> {
    const result = this.lastChange.then(() => this.change(changes));
    this.lastChange = result.catch(() => {});
    return result;
  }

  private async change(changes: readonly Change[]): Promise<boolean> {
    for (const { key, expected } of changes) {
      if ((this.entries.get(key)?.revision ?? 0) !== expected) return false;
    }
    const revision = this.revision + 1;
    const next = new Map(this.entries);
    for (const { key, value } of changes) {
      if (value === undefined) next.delete(key);
      else next.set(key, { value, revision });
    }
    const inode = this.inode();
    let failure: { error: unknown } | undefined;
    try {
      await this.write(Buffer.from(serialize(revision, next)));
    } catch (error) {
      // Where it failed after the rename, the next start finds the new content: then it counts
      // here too, or records would be taken for a topic that is deleted on disk.
      if (this.inode() === inode) throw error;
      failure = { error };
    }
    this.revision = revision;
    this.entries = next;
    for (const { key } of changes) this.tell(key, next.get(key));
    if (failure !== undefined) throw failure.error;
    return true;
  }

  private async write(content: Buffer): Promise<void> {
    try {
      await this.disk.replaceFile(this.path, content);
    } catch (error) {
      if (!isFull(error) || this.disk.statSync(this.reserve) === undefined) throw error;
      await this.writeIntoReserve(content);
      return;
    }
    this.keepReserve(content.length);
  }

  private get reserve(): string {
    return `${this.path}.reserve`;
  }

  /** The reserve becomes the file, and the file the next reserve. */
  private async writeIntoReserve(content: Buffer): Promise<void> {
    const { disk, path, reserve } = this;
    const file = await disk.open(reserve, 'r+');
    try {
      file.writeSync([content], 0);
      file.truncateSync(content.length);
      await file.sync();
    } finally {
      file.closeSync();
    }
    // Under a name that nobody writes to: after a kill it may still be the file itself.
    const old = `${path}.old`;
    disk.removeSync(old);
    disk.linkSync(path, old);
    disk.renameSync(reserve, path);
    disk.renameSync(old, reserve);
    await disk.syncDirectory(dirname(path));
  }

  private keepReserve(bytes: number): void {
    if ((this.disk.statSync(this.reserve)?.size ?? 0) >= bytes) return;
    try {
      const file = this.disk.openSync(this.reserve, 'w');
      try {
        const size = Math.ceil((bytes + 1) / RESERVE_STEP_BYTES) * RESERVE_STEP_BYTES;
        file.writeSync([Buffer.alloc(size, ' ')], 0);
      } finally {
        file.closeSync();
      }
    } catch {
      // It is needed only where a start finds the disk full.
    }
  }

  /** Which file stands under the name; asking needs no descriptor. */
  private inode(): number | undefined {
    return this.disk.statSync(this.path)?.inode;
  }

  private tell(key: string, entry: Versioned | undefined): void {
    for (const { prefix, onChange } of this.watchers) {
      if (key.startsWith(prefix)) onChange(key, entry);
    }
  }
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function serialize(revision: number, entries: ReadonlyMap<string, Versioned>): string {
  const file = { format: FORMAT, revision, entries: Object.fromEntries(entries) };
  return `${JSON.stringify(file, null, 1)}\n`;
}

interface StoredFile {
  readonly format: number;
  readonly revision: number;
  readonly entries: Readonly<Record<string, { revision: number; value: Json }>>;
}

function parse(path: string, text: string) {
  try {
    const file = JSON.parse(text) as StoredFile;
    if (file.format !== FORMAT) throw new Error(`its format is ${file.format}, not ${FORMAT}`);
    return { revision: file.revision, entries: Object.entries(file.entries) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BrokerError(
      'METADATA_UNREADABLE',
      `${path} cannot be read (${reason}): restore it from a backup, or move it away: the topics ` +
        'are then taken over from their directories, without their properties',
      { cause },
    );
  }
}
