/**
 * A password or token. It masks itself wherever it is printed, logged or turned into JSON; only
 * `reveal` gives it away.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself; for the one place that needs it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '******';
  }

  toJSON(): string {
    return '******';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '******';
  }
}
