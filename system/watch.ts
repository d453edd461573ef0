/** Hints that something below a set of globs came, went or changed. Hints only: always look. */
export interface WatchEvents {
  /** A file or directory that may match is there or has gone. */
  onChange(path: string): void;
  onError(error: Error): void;
}

/** Discovery of files; never one watcher per file. */
export interface Watch {
  /** Watches directories (`recursive`: with all below them); missing ones are awaited. */
  directories(
    roots: readonly { readonly path: string; readonly recursive: boolean }[],
    events: WatchEvents,
  ): Promise<{ close(): Promise<void> }>;
}
