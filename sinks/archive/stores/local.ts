import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from '../../../config/index.js';
import {
  type Disk,
  type Random,
  refuseUnlessWritable,
  type System,
} from '../../../system/index.js';
import { STAGING_DIRECTORY } from '../names.js';
import type { Store, StoreComponent } from './store.js';

const SCAN_BYTES = 1024 * 1024;

/** An archive on a local (or mounted) file system that has hard links. */
export class LocalStore implements Store {
  readonly stagingDirectory: string;
  readonly #disk: Disk;
  readonly #root: string;
  readonly #random: Random;
  /** Directories that exist and whose names survive a power cut. */
  readonly #durable = new Set<string>();

  /** `writer` names this writer's folder below `_tmp`: no two may share it. */
  constructor(system: Pick<System, 'disk' | 'random'>, root: string, writer: string) {
    this.#disk = system.disk;
    this.#random = system.random;
    this.#root = resolve(root);
    this.stagingDirectory = join(this.#root, STAGING_DIRECTORY, writer);
  }

  async createIfAbsent(name: string, content: Uint8Array): Promise<boolean> {
    const path = join(this.stagingDirectory, `${this.#random.bytes(8).toString('hex')}.new`);
    const file = await this.#within(this.stagingDirectory, () => this.#disk.open(path, 'wx'));
    let created: boolean;
    try {
      try {
        await file.write([content], 0);
        await file.sync();
      } finally {
        file.closeSync();
      }
      created = await this.#link(path, name);
    } catch (error) {
      // It is tried again for ever, each time under another name; what failed first is told.
      await this.#disk.remove(path).catch(() => undefined);
      throw error;
    }
    await this.#disk.remove(path);
    return created;
  }

  async publish(localPath: string, name: string): Promise<boolean> {
    return this.#link(localPath, name);
  }

  async read(name: string): Promise<Buffer | undefined> {
    try {
      return await this.#disk.readFile(join(this.#root, name));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async scan(name: string, onSlice: (slice: Buffer) => void): Promise<number | undefined> {
    const path = join(this.#root, name);
    if ((await this.#disk.stat(path)) === undefined) return undefined;
    const file = await this.#disk.open(path, 'r');
    try {
      const slice = Buffer.allocUnsafe(SCAN_BYTES);
      let size = 0;
      for (;;) {
        const length = await file.read(slice, 0, slice.length, size);
        if (length === 0) return size;
        size += length;
        onSlice(slice.subarray(0, length));
      }
    } finally {
      file.closeSync();
    }
  }

  async files(directory: string): Promise<string[]> {
    const found: string[] = [];
    await this.#walk(directory, found);
    return found.sort();
  }

  async folders(directory: string): Promise<string[]> {
    const folders: string[] = [];
    for (const name of await this.#list(directory)) {
      const stat = await this.#disk.stat(join(this.#root, directory, name));
      if (stat?.kind === 'directory') folders.push(name);
    }
    return folders;
  }

  async #walk(directory: string, found: string[]): Promise<void> {
    for (const entry of await this.#list(directory)) {
      const name = directory === '' ? entry : `${directory}/${entry}`;
      const stat = await this.#disk.stat(join(this.#root, name));
      if (stat?.kind === 'directory') await this.#walk(name, found);
      else if (stat !== undefined) found.push(name);
    }
  }

  async #list(directory: string): Promise<string[]> {
    try {
      return await this.#disk.list(join(this.#root, directory));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** The one way anything gets its final name: whole, and only where there is nothing yet. */
  async #link(path: string, name: string): Promise<boolean> {
    const target = join(this.#root, name);
    const directory = dirname(target);
    return this.#within(directory, async () => {
      let created = true;
      try {
        await this.#disk.link(path, target);
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
        created = false;
      }
      // Also where another was first: nobody may build on a name that a power cut could undo.
      await this.#disk.syncDirectory(directory);
      return created;
    });
  }

  /**
   * Runs a call that needs the directory. Where it is gone all the same, somebody has taken it
   * away since it was made: what is known of directories is forgotten, and it is made again.
   */
  async #within<T>(directory: string, call: () => Promise<T>): Promise<T> {
    await this.#makeDirectory(directory);
    try {
      return await call();
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      this.#durable.clear();
      await this.#makeDirectory(directory);
      return call();
    }
  }

  async #makeDirectory(path: string): Promise<void> {
    if (this.#durable.has(path)) return;
    const parent = dirname(path);
    if (path !== this.#root && parent !== path) await this.#makeDirectory(parent);
    await this.#disk.makeDirectory(path);
    if (parent !== path) await this.#disk.syncDirectory(parent);
    if (path === this.#root) await this.#syncAbove(parent);
    this.#durable.add(path);
  }

  /** The root may have been made in directories that are as new as itself. */
  async #syncAbove(directory: string): Promise<void> {
    for (let at = directory; at !== dirname(at); at = dirname(at)) {
      try {
        await this.#disk.syncDirectory(dirname(at));
      } catch (error) {
        // Where we may not even look we have made nothing.
        if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'EPERM') throw error;
      }
    }
  }
}

const options = z
  .object({
    root: z
      .string()
      .min(1)
      .describe('Directory of the archive, on a file system that has hard links.'),
  })
  .describe('A directory on this machine or on a mounted file system.');

const example = `
kafka: { bootstrap: [logs.internal:9092] }
sinks:
  archive:
    type: archive
    topics: [app-logs]
    store: { type: local, root: /srv/archive }
`;

/** `type: local`. */
export const local: StoreComponent<typeof options> = {
  type: 'local',
  schema: options,
  example,
  create: ({ root }, { system, writer }) => new LocalStore(system, root, writer),
  place: ({ root }) => ({
    name: root,
    id: pathToFileURL(resolve(root)).href,
    option: 'root',
    kind: 'directory',
    isPresent: async ({ disk }) => disk.statSync(root)?.kind === 'directory',
    async outlook(system) {
      refuseUnlessWritable(system, root);
      return [{ outcome: 'good', what: `${root} can be written` }];
    },
  }),
};

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
