/** Hints that something in a directory came, went or changed. Hints only: always look. */
export interface WatchEvents {
  /**
   * What is at `path`, or the directory with that path, may have changed. Hints can be lost, and
   * network file systems give none.
   */
  onChange(path: string): void;
}

/** What is watched. */
export interface WatchRoot {
  readonly path: string;
  /** With all directories below it. */
  readonly recursive: boolean;
}

/** Discovery of files; never one watcher per file. */
export interface Watch {
  /**
   * Watches directories; missing ones are awaited. Where the system has no more room for watching,
   * that is a problem (`problems.ts`), and whoever looks by himself goes on.
   */
  directories(
    roots: readonly WatchRoot[],
    events: WatchEvents,
  ): Promise<{ close(): Promise<void> }>;
}
