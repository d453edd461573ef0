/** A child process with a message channel (JSON values both ways). */
export interface ChildProcess {
  readonly pid: number;
  send(message: unknown): void;
  onMessage(callback: (message: unknown) => void): void;
  /** Exactly once; `signal` where one ended it. */
  onExit(callback: (exit: { code: number | null; signal: string | null }) => void): void;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

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
  /** Calls back on SIGINT and SIGTERM; returns a function that stops that. */
  onSignal(callback: (signal: 'SIGINT' | 'SIGTERM') => void): () => void;
  /**
   * An identity of the process with this id that no later process with the same id shares
   * (start time and boot id); undefined where it is gone or cannot be known.
   */
  identity(pid: number): string | undefined;
  hostname(): string;
}
