/** How a command prints its data. */
export interface OutputOptions {
  readonly output: 'text' | 'json';
}

/** Options that every client command takes. */
export interface ClientOptions extends OutputOptions {
  readonly bootstrap: string;
  /** How long it tries before it gives up. */
  readonly timeout: number;
}
