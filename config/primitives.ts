import { Secret } from './secret.js';
import { type Address, parseAddress, parseDuration, parseSize } from './units/index.js';
import { WebUrl } from './web-url.js';
import { z } from './zod.js';

/** What a primitive is for people: drives the documentation, JSON Schema and `config show`. */
export type PrimitiveKind = 'duration' | 'size' | 'secret' | 'address' | 'url';

const createKinds = () => z.registry<{ kind: PrimitiveKind }>();

const everyCopy: { [key: symbol]: ReturnType<typeof createKinds> | undefined } = globalThis;
const kindsId = Symbol.for('logflume.primitiveKinds');

/**
 * Which schemas are primitives; a copy made by `.describe()` stays one. All copies of the package
 * in a process share it, as a plugin may find another: its secrets would be shown.
 */
export const primitiveKinds = everyCopy[kindsId] ?? createKinds();
everyCopy[kindsId] = primitiveKinds;

const scalar = (error: string) =>
  z.union([z.string(), z.number()], {
    error: (issue) => (issue.input === undefined ? undefined : error),
  });

function primitive<T>(kind: PrimitiveKind, parse: (text: string) => T | undefined, error: string) {
  const schema = scalar(error).transform((value, context): T => {
    const parsed = parse(String(value));
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
  return schema.register(primitiveKinds, { kind });
}

/**
 * A duration with its unit (`10s`, `500ms`, `1h`, `7d`); parses to milliseconds.
 * Defaults read best in the YAML's own words: `duration().prefault('10s')`.
 */
export function duration() {
  return primitive<number>(
    'duration',
    parseDuration,
    'must be a duration with a unit, such as 500ms, 10s, 5m, 1h or 7d',
  );
}

/** A size (`64MiB`, `1MB`, `512` for bytes); parses to bytes. Default: `.prefault('64MiB')`. */
export function size() {
  return primitive<number>(
    'size',
    parseSize,
    'must be a size in bytes or with a unit, such as 512, 64KiB, 1MB or 1GiB',
  );
}

/** The name of a topic, as Kafka allows it. */
export function topicName() {
  return z
    .string()
    .regex(
      /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/,
      'must be the name of a topic: up to 249 letters, digits and . _ -',
    );
}

/** A password or token; parses to a `Secret` that masks itself everywhere. */
export function secret() {
  return primitive<Secret>('secret', (text) => new Secret(text), 'must be text');
}

/** `host:port` (IPv6 as `[::1]:port`); parses to `{ host, port }`. Port 0: any free one. */
export function address() {
  return primitive<Address>(
    'address',
    parseAddress,
    'must be an address as host:port, such as 127.0.0.1:9092',
  );
}

/** An http or https URL; parses to a `WebUrl` that masks what is secret in it. */
export function webUrl() {
  return primitive<WebUrl>('url', parseWebUrl, 'must be a URL such as https://collector:8080/in');
}

function parseWebUrl(text: string): WebUrl | undefined {
  try {
    return new WebUrl(text);
  } catch {
    return undefined;
  }
}
