import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyComponent, ReadConfig } from '../config/index.js';
import type { System } from '../system/index.js';
import { type Components, type Kind, together } from './components.js';
import { words } from './failure.js';

/** Where plugins are named, and what there is without them. */
interface PluginPlace {
  readonly file: string;
  readonly read: ReadConfig;
  readonly builtIn: Partial<Components>;
}

/** What is called what in sentences, and which functions each of a kind must have. */
const kindOf: Readonly<Record<Kind, { readonly one: string; readonly asks: readonly string[] }>> = {
  sources: { one: 'source', asks: ['create', 'topics', 'largestRecord'] },
  interceptors: { one: 'interceptor', asks: ['create'] },
  sinks: { one: 'sink', asks: ['create'] },
  stores: { one: 'store', asks: ['create', 'place'] },
  formats: { one: 'format', asks: ['create'] },
};

const kinds = Object.keys(kindOf) as readonly Kind[];

const typeName = /^[a-z][a-z0-9_-]{0,63}$/;

/**
 * The components that come with logflume, and what the file's plugins add. Throws the ConfigError
 * that names everything that is wrong with these, each where the file names it.
 */
export async function withPlugins(system: System, place: PluginPlace): Promise<Components> {
  const owners = new Map<string, string>();
  for (const kind of kinds) {
    for (const { type } of place.builtIn[kind] ?? []) owners.set(`${kind} ${type}`, 'logflume');
  }
  const problems: { path: (string | number)[]; text: string }[] = [];
  // Each item has passed the checks of its kind.
  const added = { sources: [], interceptors: [], sinks: [], stores: [], formats: [] };
  for (const [index, name] of place.read.textsOf('plugins')) {
    const { components, faults } = await load(system, place.file, name, owners);
    for (const [kind, component] of components) (added[kind] as AnyComponent[]).push(component);
    problems.push(...faults.map((text) => ({ path: ['plugins', index], text })));
  }
  return problems.length > 0 ? place.read.fail(problems) : together(place.builtIn, added);
}

/** What one plugin brings. */
interface Brought {
  readonly components: readonly (readonly [Kind, AnyComponent])[];
  readonly faults: readonly string[];
}

async function load(
  system: System,
  file: string,
  name: string,
  owners: Map<string, string>,
): Promise<Brought> {
  const from = resolve(file);
  try {
    const absent = missingFile(system, name, from);
    if (absent !== undefined) return { components: [], faults: [absent] };
    return brought(await system.processes.load(name, from), name, owners);
  } catch (error) {
    return { components: [], faults: [whyNotLoaded(system, error, name, from)] };
  }
}

/** A path to a file that is not there is told without a try. */
function missingFile({ disk }: System, name: string, from: string): string | undefined {
  const path = pathOf(name, from);
  if (path === undefined || disk.statSync(path)?.kind === 'file') return undefined;
  const isDirectory = disk.statSync(path)?.kind === 'directory';
  return isDirectory
    ? `${path} is a directory: name the file, such as ${name.replace(/\/?$/, '/')}index.js`
    : `there is no file ${path}`;
}

/** The file that is meant; undefined for the name of a package. */
function pathOf(name: string, from: string): string | undefined {
  if (name.startsWith('file:')) return fileURLToPath(name);
  return /^(\.{0,2}\/|\.{1,2}$)/.test(name) ? resolve(dirname(from), name) : undefined;
}

function whyNotLoaded({ disk }: System, error: unknown, name: string, from: string): string {
  const said = words(error);
  const isMissing = (error as NodeJS.ErrnoException | null)?.code === 'ERR_MODULE_NOT_FOUND';
  // It may also be something that the plugin imports.
  if (isMissing && said.endsWith(`imported from ${from}`)) {
    if (disk.statSync(resolve(dirname(from), name))?.kind === 'file') {
      return `"${name}" is the name of a package; the file beside this one is "./${name}"`;
    }
    return `there is no package ${name} here: install it in ${dirname(from)}, or give a path (./…)`;
  }
  // Node keeps the line of a module that is no program to itself.
  const hint = error instanceof SyntaxError ? '; `node --check` shows where' : '';
  return `"${name}" cannot be loaded: ${said}${hint}`;
}

/** What a module exports, looked at. `owners` learns who brings what. */
function brought(
  module: Readonly<Record<string, unknown>>,
  name: string,
  owners: Map<string, string>,
): Brought {
  const faults: string[] = [];
  const components: [Kind, AnyComponent][] = [];
  const given = kinds.filter((kind) => module[kind] !== undefined);
  if (given.length === 0) {
    const hint = module.default === undefined ? '' : '; a default export is not looked at';
    faults.push(`"${name}" exports none of the lists ${kinds.join(', ')}${hint}`);
  }
  for (const kind of given) {
    const list: unknown = module[kind];
    if (!Array.isArray(list)) faults.push(`"${name}" exports ${kind}, which is no list`);
    for (const [index, item] of (Array.isArray(list) ? list : []).entries()) {
      const fault = faultOf(kind, item) ?? takenFault(kind, item, owners);
      if (fault !== undefined) faults.push(`"${name}", ${kind}[${index}]: ${fault}`);
      else {
        owners.set(`${kind} ${item.type}`, `the plugin "${name}"`);
        components.push([kind, item]);
      }
    }
  }
  return { components, faults };
}

function takenFault(
  kind: Kind,
  { type }: AnyComponent,
  owners: ReadonlyMap<string, string>,
): string | undefined {
  const owner = owners.get(`${kind} ${type}`);
  if (owner === undefined) return undefined;
  return `the ${kindOf[kind].one} "${type}" is there already, from ${owner}: give it another type`;
}

/** Why something is no component of its kind. */
function faultOf(kind: Kind, item: unknown): string | undefined {
  const { one, asks } = kindOf[kind];
  if (typeof item !== 'object' || item === null) {
    return `is no ${one}: it must have type, schema and ${asks.join(', ')}`;
  }
  const component = item as Readonly<Record<string, unknown>>;
  const { type, schema } = component;
  if (typeof type !== 'string' || !typeName.test(type)) {
    const given = type === undefined ? 'is missing' : `${JSON.stringify(type)} is no name`;
    return `its type ${given}: up to 64 small letters, digits, _ and -, a letter first`;
  }
  const fields = shapeOf(schema);
  if (fields === undefined) {
    return `the schema of "${type}" must be an object of zod 4: z.object({ … })`;
  }
  if ('type' in fields) return `the schema of "${type}" has an option type: that name is taken`;
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
