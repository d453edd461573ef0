import { type ChainId, chainDirectory, offsetName } from '../names.js';
import type { Store } from '../stores/index.js';
import {
  type Claim,
  type Done,
  decodeClaim,
  decodeDone,
  decodeGenesis,
  encodeLink,
  type Genesis,
} from './claim.js';

/** What stands under a link's name. */
export interface LinkRead<T> {
  readonly link: T | undefined;
  /** An empty or torn file was found and passed over. */
  readonly torn: boolean;
}

/** The links that a chain's directory names; sorted. */
export interface ChainListing {
  readonly claims: readonly number[];
  readonly dones: ReadonlySet<number>;
}

/** What the names of a chain's files say; torn ones count, as their names do not tell. */
export function listingOf(paths: readonly string[]): ChainListing {
  const claims = new Set<number>();
  const dones = new Set<number>();
  for (const path of paths) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const match = /^(\d{20})(?:\.\d+)?\.(json|done)$/.exec(name);
    if (match === null) continue;
    (match[2] === 'json' ? claims : dones).add(Number(match[1]));
  }
  return { claims: [...claims].sort((a, b) => a - b), dones };
}

/**
 * The links of one chain in the store. An empty or torn file (a store or disk that broke its
 * promise in a power cut) never counts and is never replaced: the link is then made under the next
 * name, `<start>.1.json`, `<start>.2.json` …, again create-if-absent, so that all writers agree.
 */
export class ChainLinks {
  readonly #store: Store;
  readonly #directory: string;

  constructor(store: Store, id: ChainId) {
    this.#store = store;
    this.#directory = chainDirectory(id);
  }

  async list(): Promise<ChainListing> {
    return listingOf(await this.#store.files(this.#directory));
  }

  genesis(): Promise<LinkRead<Genesis>> {
    return this.#read('genesis', 'json', decodeGenesis);
  }

  claim(start: number): Promise<LinkRead<Claim>> {
    return this.#read(offsetName(start), 'json', decodeClaim);
  }

  done(start: number): Promise<LinkRead<Done>> {
    return this.#read(offsetName(start), 'done', decodeDone);
  }

  createGenesis(genesis: Genesis): Promise<void> {
    return this.#create('genesis', 'json', genesis, decodeGenesis);
  }

  createClaim(claim: Claim): Promise<void> {
    return this.#create(offsetName(claim.start), 'json', claim, decodeClaim);
  }

  createDone(done: Done): Promise<void> {
    return this.#create(offsetName(done.start), 'done', done, decodeDone);
  }

  async #read<T>(
    base: string,
    extension: string,
    decode: (bytes: Buffer) => T | undefined,
  ): Promise<LinkRead<T>> {
    for (let variant = 0; ; variant += 1) {
      const bytes = await this.#store.read(this.#name(base, variant, extension));
      if (bytes === undefined) return { link: undefined, torn: variant > 0 };
      const link = decode(bytes);
      if (link !== undefined) return { link, torn: variant > 0 };
    }
  }

  /** Resolves when some whole link stands there; whose it is, only reading tells. */
  async #create<T extends Claim | Genesis | Done>(
    base: string,
    extension: string,
    link: T,
    decode: (bytes: Buffer) => T | undefined,
  ): Promise<void> {
    const content = encodeLink(link);
    for (let variant = 0; ; variant += 1) {
      const name = this.#name(base, variant, extension);
      if (await this.#store.createIfAbsent(name, content)) return;
      const bytes = await this.#store.read(name);
      if (bytes !== undefined && decode(bytes) !== undefined) return;
    }
  }

  #name(base: string, variant: number, extension: string): string {
    const suffix = variant === 0 ? '' : `.${variant}`;
    return `${this.#directory}/${base}${suffix}.${extension}`;
  }
}
