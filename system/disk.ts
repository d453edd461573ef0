/** What a path or an open file is. */
export interface FileStat {
  readonly kind: 'file' | 'directory' | 'other';
  /** Bytes. */
  readonly size: number;
  /** Device and inode: together the identity of a file for as long as it exists. */
  readonly device: number;
  readonly inode: number;
  /** Last change of the content, milliseconds since the epoch. */
  readonly modifiedMs: number;
  /** Number of names (hard links) the file has. */
  readonly links: number;
}

/**
 * How a file is opened: `r` read; `r+` read and write, must exist; `w` read and write, created,
 * emptied; `wx` read and write, must not exist yet (EEXIST); `a+` read and write, created, kept.
 */
export type OpenMode = 'r' | 'r+' | 'w' | 'wx' | 'a+';

/**
 * An open file. Positions are explicit and in bytes. Writes are looped until every byte is
 * handed over, or throw. Errors are Node's, with `code` (ENOSPC, EIO …).
 */
export interface DiskFile {
  readonly path: string;
  /** Reads up to `length` bytes into `target` at `offset`; 0 at the end of the file. */
  readSync(target: Uint8Array, offset: number, length: number, position: number): number;
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  /** Writes all chunks in order, starting at `position` (one writev where it fits). */
  writeSync(chunks: readonly Uint8Array[], position: number): void;
  write(chunks: readonly Uint8Array[], position: number): Promise<void>;
  /** Resolves when the content written so far survives a power cut (fdatasync). */
  sync(): Promise<void>;
  syncSync(): void;
  truncateSync(size: number): void;
  statSync(): FileStat;
  /** Idempotent. */
  closeSync(): void;
}

/**
 * The file system. Synchronous calls are for the page cache's hot path, start-up and small state;
 * everything that may touch a slow disk has an asynchronous form on the threadpool.
 * Missing paths throw ENOENT unless said otherwise. Names need not be UTF-8: `path-bytes.ts`.
 */
export interface Disk {
  openSync(path: string, mode: OpenMode): DiskFile;
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** undefined where nothing is there. Follows symbolic links. */
  statSync(path: string): FileStat | undefined;
  stat(path: string): Promise<FileStat | undefined>;
  /** The path with every symbolic link resolved; undefined where nothing is there. */
  realPathSync(path: string): string | undefined;
  readFileSync(path: string): Buffer;
  readFile(path: string): Promise<Buffer>;
  /**
   * Throws EACCES, EROFS … where this process may not read what is at `path`, or not make entries
   * in the directory there. Changes nothing.
   */
  accessSync(path: string, to: 'read' | 'write'): void;
  /** Names of the entries, sorted. */
  listSync(path: string): string[];
  list(path: string): Promise<string[]>;
  /** Creates the directory and its parents; no error where it exists. */
  makeDirectorySync(path: string): void;
  makeDirectory(path: string): Promise<void>;
  /** Replaces `to` where it exists. */
  renameSync(from: string, to: string): void;
  rename(from: string, to: string): Promise<void>;
  /** A second name for the same file; EEXIST where `to` exists: create-if-absent. */
  linkSync(from: string, to: string): void;
  link(from: string, to: string): Promise<void>;
  /** Removes a file; no error where it is gone. */
  removeSync(path: string): void;
  remove(path: string): Promise<void>;
  /** Removes a directory with all below it; no error where it is gone. */
  removeTree(path: string): Promise<void>;
  /** Makes creations, renames and removals in this directory survive a power cut. */
  syncDirectorySync(path: string): void;
  syncDirectory(path: string): Promise<void>;
  /**
   * Creates `<path>.tmp`, fills, syncs and renames it, and syncs the directory: after any crash
   * `path` has the old or the new content. One writer per path, one call at a time.
   */
  replaceFileSync(path: string, content: Uint8Array | string): void;
  replaceFile(path: string, content: Uint8Array | string): Promise<void>;
}
