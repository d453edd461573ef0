import { Secret } from './secret.js';

const MASK = '******';

/**
 * An http or https address. What may be secret in it, its user and the values of its query, masks
 * itself wherever it is printed, logged or turned into JSON; only `reveal` gives the query away.
 */
export class WebUrl {
  /** `user:password`, decoded; undefined where the URL has neither. */
  readonly credentials: Secret | undefined;
  readonly #url: URL;

  /** Throws where the text is no such address. */
  constructor(text: string) {
    const url = new URL(text);
    if (!/^https?:$/.test(url.protocol)) throw new TypeError('neither http nor https');
    const { username, password } = url;
    const given = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.credentials = given === ':' ? undefined : new Secret(given);
    url.username = '';
    url.password = '';
    this.#url = url;
  }

  /** The address to send to, without the user. */
  reveal(): string {
    return this.#url.href;
  }

  toString(): string {
    const { protocol, host, pathname, searchParams } = this.#url;
    const user = this.credentials === undefined ? '' : `${MASK}@`;
    const query = [...searchParams.keys()].map((name) => `${name}=${MASK}`).join('&');
    return `${protocol}//${user}${host}${pathname}${query === '' ? '' : `?${query}`}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
