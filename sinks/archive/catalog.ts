import {
  ChainLinks,
  type Claim,
  type Done,
  decodeClaim,
  decodeDone,
  decodeGenesis,
  listingOf,
} from './claims/index.js';
import { type ChainId, CLAIMS_DIRECTORY } from './names.js';
import type { Store } from './stores/index.js';

/** A claim and, once everything of it is stored, its done. */
export interface CatalogClaim {
  readonly claim: Claim;
  readonly done: Done | undefined;
}

/** A chain as the store has it. */
export interface CatalogChain {
  readonly id: ChainId;
  readonly directory: string;
  readonly genesis: number | undefined;
  /** By start. */
  readonly claims: readonly CatalogClaim[];
  /** Names of files that hold no whole link, or a link that does not belong there. */
  readonly damaged: readonly string[];
}

/** A chain of claims, as far as its coverage goes. */
export interface ChainExtent {
  readonly id: ChainId;
  readonly from: number;
  readonly archivedTo: number;
}

/** How far a chain reaches without a gap, by its links alone. */
export function extentOf({ id, genesis, claims }: CatalogChain): ChainExtent {
  const from = genesis ?? claims[0]?.claim.start ?? 0;
  let archivedTo = from;
  for (const { claim, done } of claims) {
    if (done === undefined || claim.start > archivedTo) break;
    archivedTo = Math.max(archivedTo, claim.end + 1);
  }
  return { id, from, archivedTo };
}

/** Reads every chain of an archive, damage and all. */
export async function* readChains(store: Store): AsyncGenerator<CatalogChain> {
  for (const [directory, names] of await linksByDirectory(store)) {
    const id = chainOf(directory);
    if (id !== undefined) yield readChain(store, directory, id, names);
  }
}

/** How far every chain reaches, by the names of its links, as its writer would find its place. */
export async function* readReach(store: Store): AsyncGenerator<ChainExtent> {
  for (const [directory, names] of await linksByDirectory(store)) {
    const id = chainOf(directory);
    if (id === undefined) continue;
    const links = new ChainLinks(store, id);
    const { claims, dones } = listingOf(names);
    const from = (await links.genesis()).link?.start ?? claims[0] ?? 0;
    const open = claims.find((start) => !dones.has(start));
    const last = claims.at(-1);
    // The claim before an open one ends where that begins.
    const end = open ?? (last === undefined ? from : (await endOf(links, last)) + 1);
    yield { id, from, archivedTo: end };
  }
}

async function endOf(links: ChainLinks, start: number): Promise<number> {
  return (await links.claim(start)).link?.end ?? start - 1;
}

/** Whether a file below `_claims` lies where a chain's links do. */
export function isChainFile(path: string): boolean {
  return chainOf(path.slice(0, path.lastIndexOf('/'))) !== undefined;
}

async function linksByDirectory(store: Store): Promise<Map<string, string[]>> {
  const directories = new Map<string, string[]>();
  for (const path of await store.files(CLAIMS_DIRECTORY)) {
    const directory = path.slice(0, path.lastIndexOf('/'));
    const names = directories.get(directory) ?? [];
    names.push(path);
    directories.set(directory, names);
  }
  return directories;
}

/** `_claims/<sink>/<cluster>/<topic>.<topic id>/<partition>`. */
function chainOf(directory: string): ChainId | undefined {
  const [, sink, cluster, stream, partition, ...rest] = directory.split('/');
  const dot = stream?.lastIndexOf('.') ?? -1;
  if (sink === undefined || cluster === undefined || stream === undefined) return undefined;
  if (sink.startsWith('_') || dot < 0 || rest.length > 0 || !/^\d+$/.test(partition ?? ''))
    return undefined;
  const topic = stream.slice(0, dot);
  return { sink, cluster, topic, topicId: stream.slice(dot + 1), partition: Number(partition) };
}

async function readChain(
  store: Store,
  directory: string,
  id: ChainId,
  names: readonly string[],
): Promise<CatalogChain> {
  let genesis: number | undefined;
  const claims = new Map<number, Claim>();
  const dones = new Map<number, Done>();
  const damaged: string[] = [];
  for (const path of names) {
    const bytes = (await store.read(path)) ?? Buffer.alloc(0);
    const name = path.slice(directory.length + 1);
    const start = Number(/^(\d{20})(?:\.\d+)?\.(?:json|done)$/.exec(name)?.[1] ?? Number.NaN);
    const claim = name.endsWith('.json') ? decodeClaim(bytes) : undefined;
    const done = name.endsWith('.done') ? decodeDone(bytes) : undefined;
    const first = /^genesis(?:\.\d+)?\.json$/.test(name) ? decodeGenesis(bytes) : undefined;
    if (first !== undefined) genesis ??= first.start;
    else if (claim?.start === start && !claims.has(start)) claims.set(start, claim);
    else if (done?.start === start && !dones.has(start)) dones.set(start, done);
    else damaged.push(path);
  }
  for (const start of dones.keys()) {
    if (!claims.has(start)) damaged.push(`${directory}/${start}.done`);
  }
  const sorted = [...claims.values()].sort((a, b) => a.start - b.start);
  return {
    id,
    directory,
    genesis,
    claims: sorted.map((claim) => ({ claim, done: dones.get(claim.start) })),
    damaged,
  };
}
