import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { type Environment, expandVariables } from './environment.js';
import type { Problem } from './errors.js';

/** Where something is in a file; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The keys and indexes that lead to a value. */
export type Path = readonly PropertyKey[];

/** A YAML file turned into plain values, which still knows where each of them was written. */
export interface YamlSource {
  readonly value: unknown;
  /** Syntax errors and unset variables. */
  readonly problems: readonly Problem[];
  /** Paths whose value could not be made out; what else is said about them is noise. */
  readonly spoiled: ReadonlySet<string>;
  /** The place of the value at `path`, or of its nearest parent that is there. */
  placeOf(path: Path): Place;
  /** The place of the key that leads to the value at `path`. */
  placeOfKey(path: Path): Place;
}

/** A path as a key of sets and maps. */
export function pathId(path: Path): string {
  return JSON.stringify(path.map(String));
}

class Reader {
  readonly problems: Problem[] = [];
  readonly spoiled = new Set<string>();
  readonly values = new Map<string, number>();
  readonly keys = new Map<string, number>();
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;
  readonly #environment: Environment;
  /** Nodes being read, outermost first: an alias to one of them would never end. */
  readonly #open: Node[] = [];

  constructor(text: string, environment: Environment) {
    this.#environment = environment;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    for (const error of [...this.#document.errors, ...this.#document.warnings]) {
      const [at] = error.pos;
      const isVariable = text.startsWith('${', at - 1);
      const hint = isVariable ? `; inside { } and [ ] a \${VARIABLE} needs quotes around it` : '';
      this.problem(at, `is not YAML: ${error.message}${hint}`);
    }
  }

  place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  problem(offset: number, text: string): void {
    this.problems.push({ ...this.place(offset), text });
  }

  root(): unknown {
    return this.#document.contents === null ? {} : this.#read(this.#document.contents, []);
  }

  #read(node: unknown, path: Path): unknown {
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target !== undefined && !this.#open.includes(target)) return this.#read(target, path);
      this.#spoil(path, node.range?.[0] ?? 0, `the alias *${node.source} cannot be resolved`);
      return undefined;
    }
    const offset = (node as Node | null)?.range?.[0];
    if (offset !== undefined) this.values.set(pathId(path), offset);
    if (isScalar(node)) {
      return typeof node.value === 'string'
        ? this.#text(node.value, node.type === 'PLAIN', path, offset ?? 0)
        : lossless(node.value, node.source);
    }
    if (isMap(node) || isSeq(node)) {
      this.#open.push(node);
      const value = isMap(node) ? this.#map(node.items, path) : this.#list(node.items, path);
      this.#open.pop();
      return value;
    }
    return null;
  }

  #map(items: readonly { key: unknown; value: unknown }[], path: Path): unknown {
    const entries: [string, unknown][] = [];
    for (const item of items) {
      const key = String(isScalar(item.key) ? item.key.value : item.key);
      const below = [...path, key];
      const offset = (item.key as Node | null)?.range?.[0];
      if (offset !== undefined) this.keys.set(pathId(below), offset);
      entries.push([key, this.#read(item.value, below)]);
    }
    return Object.fromEntries(entries);
  }

  #list(items: readonly unknown[], path: Path): unknown {
    return items.map((item, index) => this.#read(item, [...path, index]));
  }

  #text(text: string, plain: boolean, path: Path, offset: number): unknown {
    if (!text.includes('${')) return text;
    const expanded = expandVariables(text, this.#environment);
    for (const name of expanded.unset) {
      const advice = `set it, or give a default: \${${name}:-…}`;
      this.#spoil(path, offset, `the environment variable ${name} is not set; ${advice}`);
    }
    return plain ? asScalar(expanded.text) : expanded.text;
  }

  #spoil(path: Path, offset: number, text: string): void {
    this.spoiled.add(pathId(path));
    this.problem(offset, `${path.join('.')}: ${text}`);
  }
}

/** Numbers that would not keep all their digits (`0123`, twenty digits) stay the text they are. */
function lossless(value: unknown, written: string | undefined): unknown {
  return typeof value === 'number' && written !== undefined && /^([+-]?0\d|\d{16})/.test(written)
    ? written
    : value;
}

/** What an unquoted YAML scalar means, as long as nothing is lost (`007` stays text). */
function asScalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return text !== '' && String(number) === text && Number.isFinite(number) ? number : text;
}

/** Reads YAML, fills in variables of the environment and remembers every place. Never throws. */
export function readYaml(text: string, environment: Environment): YamlSource {
  const reader = new Reader(text, environment);
  const value = reader.root();
  const lookUp = (path: Path, first: Map<string, number>): Place => {
    for (let length = path.length; length > 0; length--) {
      const id = pathId(path.slice(0, length));
      const offset =
        length === path.length
          ? (first.get(id) ?? reader.values.get(id))
          : (reader.keys.get(id) ?? reader.values.get(id));
      if (offset !== undefined) return reader.place(offset);
    }
    return { line: 1, column: 1 };
  };
  return {
    value,
    problems: reader.problems,
    spoiled: reader.spoiled,
    placeOf: (path) => lookUp(path, reader.values),
    placeOfKey: (path) => lookUp(path, reader.keys),
  };
}
