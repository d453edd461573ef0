/** What a store holds: plain JSON, the same in a file and in etcd. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A value and the revision of the store that last changed it (never 0). */
export interface Versioned {
  readonly value: Json;
  readonly revision: number;
}

/** One key's part of a change: made only where the key is still as `expected` says. */
export interface Change {
  readonly key: string;
  /** The revision the key has now; 0 where it must not exist. */
  readonly expected: number;
  /** The new value; undefined removes the key. */
  readonly value: Json | undefined;
}

/**
 * Where a cluster keeps what all its brokers must agree on. Keys are paths such as `topics/app`.
 * A file for one node, etcd for a cluster.
 */
export interface MetadataStore {
  /** Every key that starts with `prefix`. */
  get(prefix: string): Promise<ReadonlyMap<string, Versioned>>;
  /**
   * Tells of each change below `prefix` once it is durable, in order; undefined for a removed key.
   * Returns a function that stops that.
   */
  watch(prefix: string, onChange: (key: string, entry: Versioned | undefined) => void): () => void;
  /** Makes all changes or none. Resolves once they are durable; false where a key had moved on. */
  compareAndSwap(changes: readonly Change[]): Promise<boolean>;
}
