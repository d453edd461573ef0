import {
  type CatalogChain,
  type CatalogClaim,
  type ChainExtent,
  extentOf,
  isChainFile,
  readChains,
} from './catalog.js';
import type { Claim } from './claims/index.js';
import { checkFile } from './content.js';
import {
  type ClusterLook,
  type CoverageProblem,
  coverageOf,
  type PartitionCoverage,
} from './coverage.js';
import { type ChainId, CLAIMS_DIRECTORY, STAGING_DIRECTORY } from './names.js';
import { decodeOwner, OWNERS_DIRECTORY, ownedPartition } from './owners.js';
import type { Store } from './stores/index.js';

/** Something that is not as it was agreed. */
interface ArchiveProblem {
  readonly kind:
    | 'file missing'
    | 'file differs'
    | 'file unknown'
    | 'chain gap'
    | 'chain overlap'
    | 'claim damaged'
    | 'no archive'
    | CoverageProblem['kind'];
  /** The file or directory, below the root. */
  readonly name: string;
  readonly message: string;
}

/** The result of `verifyArchive`. */
export interface ArchiveReport {
  readonly chains: number;
  readonly claims: number;
  readonly files: number;
  readonly records: number;
  /** Of the content before compression. */
  readonly bytes: number;
  /** Claims that are not complete yet: their writer is at work, or its heir will finish them. */
  readonly openClaims: number;
  /** How far each chain reaches, and its topic. */
  readonly partitions: readonly PartitionCoverage[];
  /** Offsets and files that a person has given up. */
  readonly acceptedLosses: readonly string[];
  readonly problems: readonly ArchiveProblem[];
}

/** What is verified, and with what it is compared. */
export interface VerifyOptions {
  /** That topic's chains alone, and no file without a claim: that might be any topic's. */
  readonly topic?: string | undefined;
  /** Sinks that archive here, as far as known; those that have claims are found. */
  readonly sinks?: readonly string[];
  /** What the cluster knows of the groups of these sinks, or why it is not known. */
  readonly look?: (sinks: readonly string[]) => Promise<ClusterLook | string>;
  /** After each file that was read. */
  readonly onFile?: (progress: { readonly files: number; readonly bytes: number }) => void;
}

/**
 * Reads a whole archive back and compares it with its claims: every byte of every file, the
 * chains' continuity, and that nothing is there which nobody claimed; and the chains with what
 * their cluster says. It may run while the archive grows.
 */
export async function verifyArchive(
  store: Store,
  { topic, sinks = [], look = async () => 'no broker was asked', onFile }: VerifyOptions = {},
): Promise<ArchiveReport> {
  const known = new Set([...sinks, ...(await store.folders(CLAIMS_DIRECTORY))].filter(isVisible));
  // Asked first: what is committed by then has its claims.
  const before = await look([...known]);
  // Listed first: whatever is published later has its claim by then.
  const names = topic === undefined ? (await store.files('')).filter(isForeign) : [];
  const verification = new Verification(store, new Set(names), onFile);
  for await (const chain of readChains(store)) {
    if (topic === undefined || chain.id.topic === topic) await verification.chain(chain);
  }
  for (const path of await store.files(OWNERS_DIRECTORY)) {
    const partition = ownedPartition(path);
    if (partition === undefined || (topic ?? partition.topic) !== partition.topic) continue;
    await verification.owner(path, partition);
  }
  const after = typeof before === 'string' ? before : await look([...known]);
  const ofTopic = <T extends { readonly topic: string }>(all: readonly T[]) =>
    all.filter((at) => topic === undefined || at.topic === topic);
  const cut = (seen: ClusterLook | string) =>
    typeof seen === 'string' ? seen : { ...seen, committed: ofTopic(seen.committed) };
  return verification.report(cut(before), cut(after), topic === undefined);
}

/** Anything but what is being built, and claims, which are looked at as chains. */
function isForeign(name: string): boolean {
  if (name.startsWith(`${STAGING_DIRECTORY}/`)) return false;
  if (ownedPartition(name) !== undefined) return false;
  return !name.startsWith(`${CLAIMS_DIRECTORY}/`) || !isChainFile(name);
}

function isOf(partition: Omit<ChainId, 'sink'>, id: ChainId): boolean {
  return (
    id.cluster === partition.cluster &&
    id.topic === partition.topic &&
    id.topicId === partition.topicId &&
    id.partition === partition.partition
  );
}

/** A folder of claims that is a sink's. */
function isVisible(name: string): boolean {
  return !/^[_.]/.test(name);
}

class Verification {
  readonly #store: Store;
  readonly #unknown: Set<string>;
  readonly #problems: ArchiveProblem[] = [];
  readonly #losses: string[] = [];
  readonly #extents: ChainExtent[] = [];
  readonly #onFile: VerifyOptions['onFile'];
  #chains = 0;
  #claims = 0;
  #files = 0;
  #records = 0;
  #bytes = 0;
  #open = 0;

  constructor(store: Store, unknown: Set<string>, onFile: VerifyOptions['onFile']) {
    this.#store = store;
    this.#unknown = unknown;
    this.#onFile = onFile;
  }

  async chain(chain: CatalogChain): Promise<void> {
    const { genesis, claims, directory } = chain;
    this.#chains += 1;
    this.#extents.push(extentOf(chain));
    for (const name of chain.damaged) {
      this.#problem('claim damaged', name, 'It is torn or was changed, or does not belong there.');
    }
    if (genesis === undefined) {
      this.#problem('claim damaged', directory, 'The chain has no genesis claim.');
    }
    let position = genesis ?? claims[0]?.claim.start ?? 0;
    for (const entry of claims) {
      const { start, end } = entry.claim;
      if (start > position) {
        const message = `No claim covers offsets ${position} to ${start - 1}.`;
        this.#problem('chain gap', directory, message);
      } else if (start < position) {
        const message = `Offsets ${start} to ${Math.min(end, position - 1)} are claimed twice.`;
        this.#problem('chain overlap', directory, message);
      }
      position = Math.max(position, end + 1);
      await this.#claim(chain, entry, entry === claims.at(-1));
    }
  }

  /** Whose a partition is: the sink that has a chain of it, if one has. After all chains. */
  async owner(path: string, partition: Omit<ChainId, 'sink'>): Promise<void> {
    const owner = decodeOwner((await this.#store.read(path)) ?? Buffer.alloc(0));
    const sinks = this.#extents.flatMap(({ id }) => (isOf(partition, id) ? [id.sink] : []));
    if (owner === undefined) {
      this.#problem('claim damaged', path, 'It is torn or was changed.');
    } else if (sinks.length > 0 && !sinks.includes(owner)) {
      const message = `It names the sink ${owner}, but ${sinks.join(', ')} has the claims.`;
      this.#problem('claim damaged', path, message);
    }
  }

  report(before: ClusterLook | string, after: ClusterLook | string, whole: boolean): ArchiveReport {
    for (const name of this.#unknown) {
      this.#problem('file unknown', name, 'No claim names this file.');
    }
    const { partitions, problems } = coverageOf(this.#extents, before, after);
    this.#problems.push(...problems);
    // A cluster that knows of nothing archived has been asked, and there is nothing to prove.
    if (whole && this.#chains === 0 && typeof before === 'string') {
      const message = `There is no claim, so nothing is proven; what should be here is not known: `;
      this.#problem('no archive', CLAIMS_DIRECTORY, `${message}${before}.`);
    }
    return {
      chains: this.#chains,
      claims: this.#claims,
      files: this.#files,
      records: this.#records,
      bytes: this.#bytes,
      openClaims: this.#open,
      partitions,
      acceptedLosses: this.#losses,
      problems: this.#problems,
    };
  }

  async #claim(chain: CatalogChain, entry: CatalogClaim, isLast: boolean): Promise<void> {
    const { claim, done } = entry;
    const { start, end } = claim;
    this.#claims += 1;
    for (const file of claim.files) this.#unknown.delete(file.name);
    if (claim.kind === 'gap') this.#losses.push(`${chain.directory}: offsets ${start} to ${end}`);
    if (done === undefined && isLast) {
      this.#open += 1;
      return this.#openClaim(claim);
    }
    const stored = new Map(done?.files.map((file) => [file.name, file]));
    if (done === undefined || done.end !== end) {
      const message = `The claim of offsets ${start} to ${end} was never completed.`;
      this.#problem('claim damaged', chain.directory, message);
    }
    for (const file of claim.files) {
      if (done?.lost?.includes(file.name) === true) {
        this.#losses.push(file.name);
        continue;
      }
      const check = await checkFile(this.#store, file, claim.settings.compression);
      const expected = stored.get(file.name);
      if (check.state === 'absent') {
        this.#problem('file missing', file.name, `It held ${file.records} records.`);
      } else if (check.state === 'wrong') {
        this.#problem('file differs', file.name, check.reason);
      } else if (expected?.sha256 !== check.stored.sha256) {
        this.#problem('file differs', file.name, 'It is not stored as it was when it was done.');
      }
      this.#files += 1;
      this.#records += file.records;
      this.#bytes += file.bytes;
      this.#onFile?.({ files: this.#files, bytes: this.#bytes });
    }
  }

  /** Files of a claim at work may be missing, but whichever is there is whole. */
  async #openClaim({ files, settings }: Claim): Promise<void> {
    for (const file of files) {
      const check = await checkFile(this.#store, file, settings.compression);
      if (check.state === 'wrong') this.#problem('file differs', file.name, check.reason);
    }
  }

  #problem(kind: ArchiveProblem['kind'], name: string, message: string): void {
    this.#problems.push({ kind, name, message });
  }
}
