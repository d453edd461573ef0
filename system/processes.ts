/** A child process with a message channel (JSON values both ways). */
export interface ChildProcess {
  readonly pid: number;
  send(message: unknown): void;
  onMessage(callback: (message: unknown) => void): void;
  /** Exactly once; `signal` where one ended it. */
  onExit(callback: (exit: { code: number | null; signal: string | null }) => void): void;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** What asks a process to end: Ctrl-C, the service manager, a terminal that was closed. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** This process and its children. */
export interface Processes {
  readonly pid: number;
  /** Starts `node script …args` in a process group of its own; stdout and stderr are inherited. */
  fork(
    script: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): ChildProcess;
  /** The channel to the parent, where this process was forked. */
  readonly parent:
    | {
        send(message: unknown): void;
        onMessage(callback: (message: unknown) => void): void;
        onDisconnect(callback: () => void): void;
      }
    | undefined;
  /** Calls back on each of these; returns a function that stops that. */
  onSignal(callback: (signal: StopSignal) => void): () => void;
  /**
   * An identity of the process with this id that no later process with the same id shares
   * (start time and boot id); undefined where it is gone or cannot be known.
   */
  identity(pid: number): string | undefined;
  /**
   * The process id namespace of this process (`pid:[4026531836]`): ids mean something within one
   * only. undefined where that cannot be known.
   */
  namespace(): string | undefined;
  /** How many descriptors this process may have (`ulimit -n`); undefined where not known. */
  fileLimit(): number | undefined;
  hostname(): string;
  /**
   * Loads an ES module into this process: `name` as it would stand in an import of the file
   * `from`, which need not be a module. Resolves to what it exports; rejects as an import does.
   */
  load(name: string, from: string): Promise<Readonly<Record<string, unknown>>>;
}
