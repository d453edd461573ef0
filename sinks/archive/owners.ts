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
 * before, decided once and for all by who creates the file. undefined where it cannot be read.
 */
export async function ownerOf(
  store: Store,
  id: ChainId,
  isBegun: boolean,
): Promise<string | undefined> {
  const path = ownerFile(id);
  const known = await store.read(path);
  if (known !== undefined) return decode(known);
  // Archives of before there were owners: whoever has a chain has it on.
  const other = isBegun ? undefined : await otherChain(store, id);
  if (other !== undefined) return other;
  await store.createIfAbsent(path, Buffer.from(`{"version":1,"sink":"${id.sink}"}\n`));
  const created = await store.read(path);
  return created && decode(created);
}

/** Another sink with a chain of the same partition. */
async function otherChain(store: Store, id: ChainId): Promise<string | undefined> {
  for (const sink of await store.folders(CLAIMS_DIRECTORY)) {
    if (sink === id.sink || sink.startsWith('_')) continue;
    const files = await store.files(chainDirectory({ ...id, sink }));
    if (files.length > 0) return sink;
  }
  return undefined;
}

function decode(bytes: Buffer): string | undefined {
  try {
    return owner.safeParse(JSON.parse(bytes.toString('utf8'))).data?.sink;
  } catch {
    return undefined;
  }
}
