import { join } from 'node:path';
import { z } from '../../../../config/index.js';
import type { Store, StoreComponent } from '../../../../sinks/archive/stores/index.js';
import type { System } from '../../../../system/index.js';

/** What lies elsewhere outlives every machine here: names and contents, by the bucket's name. */
const buckets = new Map<string, Map<string, Buffer>>();

/** Empties it; where it is not made, there is none. */
export function makeBucket(name: string): Map<string, Buffer> {
  const bucket = new Map<string, Buffer>();
  buckets.set(name, bucket);
  return bucket;
}

/** A store that knows no directory, as an object store would be. */
class MemoryStore implements Store {
  readonly stagingDirectory: string;
  readonly #system: System;
  readonly #bucket: string;

  constructor(system: System, bucket: string, staging: string) {
    this.#system = system;
    this.#bucket = bucket;
    this.stagingDirectory = staging;
  }

  get #objects(): Map<string, Buffer> {
    return buckets.get(this.#bucket) ?? new Map();
  }

  async createIfAbsent(name: string, content: Uint8Array): Promise<boolean> {
    if (this.#objects.has(name)) return false;
    this.#objects.set(name, Buffer.from(content));
    return true;
  }

  async publish(localPath: string, name: string): Promise<boolean> {
    return this.createIfAbsent(name, await this.#system.disk.readFile(localPath));
  }

  async read(name: string): Promise<Buffer | undefined> {
    return this.#objects.get(name);
  }

  async scan(name: string, onSlice: (slice: Buffer) => void): Promise<number | undefined> {
    const content = this.#objects.get(name);
    if (content !== undefined && content.length > 0) onSlice(content);
    return content?.length;
  }

  async files(directory: string): Promise<string[]> {
    const prefix = directory === '' ? '' : `${directory}/`;
    return [...this.#objects.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  async folders(directory: string): Promise<string[]> {
    const below = (await this.files(directory)).map((name) => name.slice(directory.length + 1));
    const inFolders = below.filter((name) => name.includes('/'));
    return [...new Set(inFolders.map((name) => name.slice(0, name.indexOf('/'))))].sort();
  }
}

const options = z
  .object({
    bucket: z.string().describe('Its name.'),
    staging: z.string().describe('A directory of this machine.'),
  })
  .describe('Lasts as long as the test.');

/** `type: memory`. */
export const memory: StoreComponent<typeof options> = {
  type: 'memory',
  schema: options,
  create: ({ bucket, staging }, { system, writer }) =>
    new MemoryStore(system, bucket, join(staging, writer)),
  place: ({ bucket }) => ({
    name: `memory of ${bucket}`,
    id: `memory:${bucket}`,
    option: 'bucket',
    kind: 'bucket',
    isPresent: async () => buckets.has(bucket),
    async outlook() {
      if (!buckets.has(bucket)) throw new Error(`there is no bucket ${bucket}`);
      return [{ outcome: 'good', what: `the bucket ${bucket} is there` }];
    },
  }),
};
