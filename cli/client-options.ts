/** Options that every client command takes. */
export interface ClientOptions {
  readonly bootstrap: string;
  /** How long it tries before it gives up. */
  readonly timeout: number;
  readonly output: 'text' | 'json';
}
