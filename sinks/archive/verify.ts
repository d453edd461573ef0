import { type CatalogChain, type CatalogClaim, readChains } from './catalog.js';
import { checkFile } from './content.js';
import type { Store } from './stores/index.js';

/** Something that is not as it was agreed. */
interface ArchiveProblem {
  readonly kind:
    | 'file missing'
    | 'file differs'
    | 'file unknown'
    | 'chain gap'
    | 'chain overlap'
    | 'claim damaged';
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
  /** Offsets and files that a person has given up. */
  readonly acceptedLosses: readonly string[];
  readonly problems: readonly ArchiveProblem[];
}

/**
 * Reads a whole archive back and compares it with its claims: every byte of every file, the
 * chains' continuity, and that nothing is there which nobody claimed. It may run while the archive
 * grows. With `topic` it looks at that topic's chains alone, and at no file without a claim: that
 * might be any topic's.
 */
export async function verifyArchive(
  store: Store,
  { topic }: { readonly topic?: string | undefined } = {},
): Promise<ArchiveReport> {
  // Listed first: whatever is published later has its claim by then.
  const names = topic === undefined ? (await store.files('')).filter(isVisible) : [];
  const verification = new Verification(store, new Set(names));
  for await (const chain of readChains(store)) {
    if (topic === undefined || chain.id.topic === topic) await verification.chain(chain);
  }
  return verification.report();
}

/** Readers pass over whatever lies below names that begin with `_` or `.`. */
function isVisible(name: string): boolean {
  return !/(?:^|\/)[_.]/.test(name);
}

class Verification {
  readonly #store: Store;
  readonly #unknown: Set<string>;
  readonly #problems: ArchiveProblem[] = [];
  readonly #losses: string[] = [];
  #chains = 0;
  #claims = 0;
  #files = 0;
  #records = 0;
  #bytes = 0;
  #open = 0;

  constructor(store: Store, unknown: Set<string>) {
    this.#store = store;
    this.#unknown = unknown;
  }

  async chain(chain: CatalogChain): Promise<void> {
    const { genesis, claims, directory } = chain;
    this.#chains += 1;
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

  report(): ArchiveReport {
    for (const name of this.#unknown) {
      this.#problem('file unknown', name, 'No claim names this file.');
    }
    return {
      chains: this.#chains,
      claims: this.#claims,
      files: this.#files,
      records: this.#records,
      bytes: this.#bytes,
      openClaims: this.#open,
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
      return;
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
    }
  }

  #problem(kind: ArchiveProblem['kind'], name: string, message: string): void {
    this.#problems.push({ kind, name, message });
  }
}
