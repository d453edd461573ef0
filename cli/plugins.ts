import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyComponent, ReadConfig } from '../config/index.js';
import type { System, Timer } from '../system/index.js';
import { type Components, type Kind, together } from './components.js';
import { words } from './failure.js';
import { componentOfPlugin, kindOf, kinds } from './plugin-component.js';

/** Where plugins are named, and what there is without them. */
interface PluginPlace {
  readonly file: string;
  readonly read: ReadConfig;
  readonly builtIn: Partial<Components>;
}

/** Long enough for what reads a file or asks a server first. */
const LOAD_LIMIT_MS = 60_000;

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
    return brought(await loadedInTime(system, name, from), name, owners);
  } catch (error) {
    return { components: [], faults: [whyNotLoaded(system, error, name, from)] };
  }
}

/** A module that awaits what never comes would let this process end without a word. */
async function loadedInTime({ clock, processes }: System, name: string, from: string) {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `it is not ready after ${LOAD_LIMIT_MS / 1000} s: what it awaits does not come`;
    timer = clock.after(LOAD_LIMIT_MS, () => reject(new Error(text)));
  });
  try {
    return await Promise.race([processes.load(name, from), late]);
  } finally {
    timer?.cancel();
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
      const made = componentOfPlugin(kind, item, name);
      const fault = typeof made === 'string' ? made : takenFault(kind, made, owners);
      if (typeof made === 'string' || fault !== undefined) {
        faults.push(`"${name}", ${kind}[${index}]: ${fault}`);
      } else {
        owners.set(`${kind} ${made.type}`, `the plugin "${name}"`);
        components.push([kind, made]);
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
