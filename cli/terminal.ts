/** Where data and words go. Data goes to stdout, words to stderr; colour only on a terminal. */
export class Terminal {
  /** Whether a person is looking at stderr: progress, colour. */
  readonly interactive: boolean;
  readonly #out: NodeJS.WriteStream;
  readonly #err: NodeJS.WriteStream;
  /** Whether a status line stands on the terminal, to be wiped before the next words. */
  #statusShown = false;

  constructor(out: NodeJS.WriteStream, err: NodeJS.WriteStream, environment: NodeJS.ProcessEnv) {
    this.#out = out;
    this.#err = err;
    this.interactive = err.isTTY === true && environment.TERM !== 'dumb';
    // `logflume consume … | head` ends the reader first; that is no failure.
    out.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? 0 : 1);
    });
    // Who read the words has gone (a closed terminal, a dead pipe): the work goes on.
    err.on('error', () => {});
  }

  /** Columns of the terminal. */
  get width(): number {
    return this.#err.columns ?? 80;
  }

  /** Writes data; wait for the promise, where there is one, before writing more. */
  data(chunk: string | Uint8Array): Promise<void> | undefined {
    if (this.#out.write(chunk)) return undefined;
    return new Promise((resolve) => this.#out.once('drain', resolve));
  }

  /** Writes one line of words. */
  say(line: string): void {
    this.#err.write(`${this.#wipe()}${line}\n`);
  }

  /** Replaces the status line, on a terminal. */
  status(line: string): void {
    if (!this.interactive) return;
    this.#err.write(`${this.#wipe()}${line.slice(0, this.width - 1)}`);
    this.#statusShown = true;
  }

  /** Paints words that go to `say`; plain where nobody looks. */
  paint(colour: 'red' | 'green' | 'yellow' | 'dim', text: string): string {
    const codes = { red: 31, green: 32, yellow: 33, dim: 2 };
    const plain = !this.interactive || 'NO_COLOR' in process.env;
    return plain ? text : `\u001b[${codes[colour]}m${text}\u001b[0m`;
  }

  /** Resolves when everything written to stdout has been handed over. */
  flush(): Promise<void> {
    return new Promise((resolve) => this.#out.write('', () => resolve()));
  }

  #wipe(): string {
    if (!this.#statusShown) return '';
    this.#statusShown = false;
    return '\r\u001b[K';
  }
}
