import type { AnyComponent } from '../config/index.js';
import type { Kind } from './components.js';
import { CommandError, words } from './failure.js';

/** What each kind is called in sentences, and what each of a kind must have or may have. */
export const kindOf: Readonly<Record<Kind, KindRules>> = {
  sources: {
    one: 'source',
    asks: ['create', 'topics', 'largestRecord'],
    may: ['outlook', 'reads', 'opensManyFiles'],
    shared: ['interceptors'],
  },
  interceptors: { one: 'interceptor', asks: ['create'], may: [], shared: [] },
  sinks: {
    one: 'sink',
    asks: ['create'],
    may: ['withParts', 'archive'],
    shared: ['topics', 'from', 'kafka'],
  },
  stores: { one: 'store', asks: ['create', 'place'], may: [], shared: [] },
  formats: { one: 'format', asks: ['create'], may: [], shared: [] },
};

interface KindRules {
  readonly one: string;
  /** Functions that each has; what they give is an object. */
  readonly asks: readonly string[];
  readonly may: readonly string[];
  /** Options that all of the kind have beside their own. */
  readonly shared: readonly string[];
}

export const kinds = Object.keys(kindOf) as readonly Kind[];

const typeName = /^[a-z][a-z0-9_-]{0,63}$/;
const extensionName = /^[A-Za-z0-9_-]{1,32}$/;

/** A component as a module exports it: anything. */
type Exported = Readonly<Record<string, unknown>>;

/**
 * What a plugin exports as a component, read once, whose functions say whose they are where they
 * fail; or the words why it is none.
 */
export function componentOfPlugin(
  kind: Kind,
  item: unknown,
  plugin: string,
): AnyComponent | string {
  const { one, asks, may } = kindOf[kind];
  if (typeof item !== 'object' || item === null) {
    return `is no ${one}: it must have type, schema and ${asks.join(', ')}`;
  }
  const read: Record<string, unknown> = {};
  for (const name of ['type', 'schema', 'example', ...asks, ...may]) {
    const value = (item as Exported)[name];
    if (value !== undefined) read[name] = typeof value === 'function' ? value.bind(item) : value;
  }
  const fault = faultOf(kind, read) ?? (kind === 'formats' ? formatFault(read) : undefined);
  return fault ?? guarded(kind, read, plugin);
}

/** Why something is no component of its kind. */
function faultOf(kind: Kind, component: Exported): string | undefined {
  const { one, asks, shared } = kindOf[kind];
  const { type, schema } = component;
  if (typeof type !== 'string' || !typeName.test(type)) {
    const given = type === undefined ? 'is missing' : `${JSON.stringify(type)} is no name`;
    return `its type ${given}: up to 64 small letters, digits, _ and -, a letter first`;
  }
  const fields = shapeOf(schema);
  if (fields === undefined) {
    return `the schema of "${type}" must be an object of zod 4: z.object({ … })`;
  }
  const taken = ['type', ...shared].find((name) => name in fields);
  if (taken !== undefined) {
    return `the schema of "${type}" has an option ${taken}: every ${one} has that beside its own`;
  }
  const missing = asks.filter((name) => typeof component[name] !== 'function');
  if (missing.length > 0) return `"${type}" has no function ${missing.join(', ')}`;
  return undefined;
}

/** The fields of an object of any zod 4. */
function shapeOf(schema: unknown): object | undefined {
  const { _zod: inner } = (schema ?? {}) as { _zod?: { def?: { type?: string; shape?: unknown } } };
  const { type, shape } = inner?.def ?? {};
  return type === 'object' && typeof shape === 'object' && shape !== null ? shape : undefined;
}

/** Formats are made when the file is read: their names and words stand in the sinks' schema. */
function formatFault({ type, schema, create }: Exported): string | undefined {
  const { safeParse } = schema as {
    safeParse(value: unknown): { success: boolean; data?: unknown };
  };
  const options = safeParse({});
  if (!options.success) return `the schema of "${type}" must take {}: a format has no options`;
  let made: unknown;
  try {
    made = (create as (options: unknown, context: object) => unknown)(options.data, {});
  } catch (error) {
    return `"${type}" cannot be made: ${words(error)}`;
  }
  const { extension, isFilePerRecord, write } = (made ?? {}) as Exported;
  const parts = {
    'extension (letters and digits, without a dot)':
      typeof extension === 'string' && extensionName.test(extension),
    'isFilePerRecord (true or false)': typeof isFilePerRecord === 'boolean',
    'write (a function)': typeof write === 'function',
  };
  const lacks = Object.entries(parts).flatMap(([part, isThere]) => (isThere ? [] : [part]));
  return lacks.length === 0 ? undefined : `what "${type}" makes must have ${lacks.join(', ')}`;
}

/**
 * The same, whose functions are checked for what they give. `create` of the kinds that have a name
 * in the YAML is checked by who calls it (`made`), and that of formats was called.
 */
function guarded(kind: Kind, component: Exported, plugin: string): AnyComponent {
  const { one, asks } = kindOf[kind];
  const safe: Record<string, unknown> = { ...component };
  for (const name of asks.filter((ask) => ask !== 'create' || kind === 'stores')) {
    const ask = component[name] as (...args: unknown[]) => unknown;
    const who = `${name} of the ${one} "${String(component.type)}", of the plugin "${plugin}"`;
    safe[name] = (...args: unknown[]) => given(who, () => ask(...args));
  }
  // Its parts were looked at one by one.
  return safe as unknown as AnyComponent;
}

function given(who: string, ask: () => unknown): object {
  let result: unknown;
  try {
    result = ask();
  } catch (cause) {
    throw new CommandError(`${who}: ${words(cause)}`, { cause });
  }
  if (result instanceof Promise) throw new CommandError(`${who}, gave a promise`);
  if (typeof result === 'object' && result !== null) return result;
  throw new CommandError(`${who}, gave nothing of use`);
}
