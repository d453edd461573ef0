import { z } from '../../config/index.js';
import { type ChainId, CLAIMS_DIRECTORY, chainDirectory } from './names.js';
import type { Store } from './stores/index.js';

/** Beside the chains, which lie in folders named after sinks: no sink's name begins with a `_`. */
export const OWNERS_DIRECTORY = `${CLAIMS_DIRECTORY}/_owners`;

const owner = z.object({ version: z.literal(1), sink: z.string() });

/** The file that says whose chain a partition's archive is; see docs/formats/claims.md. */
function ownerFile({ cluster, topic, topicId, partition }: ChainId): string {
  return `${OWNERS_DIRECTORY}/${cluster}/${topic}.${topicId}/${partition}.json`;
}

/**
 * The sink under whose name this partition is archived in this store: ours where nobody was
 * before, decided once and for all by who creates the file. undefined where it is damaged and no
 * other sink has a chain.
 */
export async function ownerOf(
  store: Store,
  id: ChainId,
  isBegun: boolean,
): Promise<string | undefined> {
  const path = ownerFile(id);
  const known = await store.read(path);
  const owner = known && decodeOwner(known);
  if (owner !== undefined) return owner;
  // Archives of before there were owners, or a damaged file: whoever has a chain has it on.
  const other = isBegun ? undefined : await otherChain(store, id);
  if (other !== undefined || known !== undefined) return other;
  await store.createIfAbsent(path, encodeOwner(id.sink));
  const created = await store.read(path);
  return created && decodeOwner(created);
}

/** The partition that a file below `_claims/_owners` is about; undefined where that is none. */
export function ownedPartition(path: string): Omit<ChainId, 'sink'> | undefined {
  const match = OWNER_FILE.exec(path);
  if (match === null) return undefined;
  const [, cluster = '', topic = '', topicId = '', partition] = match;
  return { cluster, topic, topicId, partition: Number(partition) };
}

const OWNER_FILE = new RegExp(`^${OWNERS_DIRECTORY}/([^/]+)/([^/]+)\\.([^/.]+)/(\\d+)\\.json$`);

/** Another sink with a chain of the same partition. */
async function otherChain(store: Store, id: ChainId): Promise<string | undefined> {
  for (const sink of await store.folders(CLAIMS_DIRECTORY)) {
    if (sink === id.sink || sink.startsWith('_')) continue;
    const files = await store.files(chainDirectory({ ...id, sink }));
    if (files.length > 0) return sink;
  }
  return undefined;
}

function encodeOwner(sink: string): Buffer {
  return Buffer.from(`${JSON.stringify({ version: 1, sink })}\n`);
}

/** undefined where a byte is not as it was written. */
export function decodeOwner(bytes: Buffer): string | undefined {
  try {
    const { data } = owner.safeParse(JSON.parse(bytes.toString('utf8')));
    return data !== undefined && encodeOwner(data.sink).equals(bytes) ? data.sink : undefined;
  } catch {
    return undefined;
  }
}
