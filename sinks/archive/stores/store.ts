import type { Component, Finding, OptionsSchema, z } from '../../../config/index.js';
import type { System } from '../../../system/index.js';

/**
 * Where an archive lives: a local directory; an object store or HDFS fit as well. Names are
 * relative, with `/`. Nothing that exists is ever changed: things are created whole or not at all,
 * and what a call has answered for survives a power cut.
 */
export interface Store {
  /** A local directory in which files are built before `publish`. */
  readonly stagingDirectory: string;
  /**
   * Creates a small object with this content. False where there is one already, whatever it holds.
   * When it rejects, the object may have been created all the same.
   */
  createIfAbsent(name: string, content: Uint8Array): Promise<boolean>;
  /** Puts a local file under `name`. False where there is one already. */
  publish(localPath: string, name: string): Promise<boolean>;
  /** A small object; undefined where there is none. */
  read(name: string): Promise<Buffer | undefined>;
  /**
   * Hands a file's bytes over in order (each slice belongs to the callee for the call only) and
   * answers with its size; undefined where there is no such file.
   */
  scan(name: string, onSlice: (slice: Buffer) => void): Promise<number | undefined>;
  /** Names of all files below a directory, at any depth, sorted as text; none if it is missing. */
  files(directory: string): Promise<string[]>;
  /** Names (last part only) of the directories directly below one, sorted. */
  folders(directory: string): Promise<string[]>;
}

/** What a store is opened with, beside its options. */
export interface StoreContext {
  readonly system: System;
  /** Names what is not finished yet: no two writers of an archive may share it. */
  readonly writer: string;
}

/** Where a store is, by its options: what can be asked without opening it. */
export interface StorePlace {
  /** What people call the archive there. */
  readonly name: string;
  /** Unlike that of every other archive, whatever its type; as a URL. */
  readonly id: string;
  /** The option that tells it from another archive. */
  readonly option: string;
  /** What must be there, in a word: `directory`. */
  readonly kind: string;
  /** Whether there is anything at all where the archive should be. */
  isPresent(system: System): Promise<boolean>;
  /** What a writer would find, for `config test`; may reject with what is wrong. No changes. */
  outlook(system: System): Promise<readonly Finding[]>;
}

/** An archive as anybody can look at it. */
export interface ArchiveSite {
  readonly place: StorePlace;
  open(context: StoreContext): Store;
}

/** A type of store: see `storeComponents` for those that there are. */
export interface StoreComponent<Schema extends OptionsSchema = OptionsSchema>
  extends Component<Schema, StoreContext, Store> {
  place(options: z.output<Schema>): StorePlace;
}
