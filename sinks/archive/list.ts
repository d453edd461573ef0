import { readChains } from './catalog.js';
import type { Store } from './stores/index.js';

/** A file of the archive, as its claim describes it. */
export interface ArchivedFile {
  /** Below the root. */
  readonly name: string;
  readonly sink: string;
  readonly topic: string;
  readonly partition: number;
  /** The offsets of its claim. */
  readonly start: number;
  readonly end: number;
  readonly records: number;
  /** Before compression. */
  readonly bytes: number;
  /** As stored; undefined while it is not complete. */
  readonly storedBytes: number | undefined;
  /** `open`: claimed and being written or to be finished by the next owner. */
  readonly state: 'done' | 'open' | 'lost';
}

/** What an archive holds by its claims, by chain and offset. Reads no file itself. */
export async function listArchive(
  store: Store,
  filter: { readonly topic?: string | undefined } = {},
): Promise<ArchivedFile[]> {
  const listed: ArchivedFile[] = [];
  for await (const { id, claims } of readChains(store)) {
    if (filter.topic !== undefined && filter.topic !== id.topic) continue;
    const { sink, topic, partition } = id;
    for (const { claim, done } of claims) {
      const { start, end } = claim;
      const stored = new Map(done?.files.map((file) => [file.name, file.bytes]));
      for (const { name, records, bytes } of claim.files) {
        const state = done === undefined ? 'open' : stored.has(name) ? 'done' : 'lost';
        const storedBytes = stored.get(name);
        const file = { name, sink, topic, partition, start, end, records, bytes };
        listed.push({ ...file, storedBytes, state });
      }
    }
  }
  return listed;
}
