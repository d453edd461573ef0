import type { z } from 'zod';
import type { Disk } from '../system/index.js';
import type { Environment } from './environment.js';
import { ConfigError, type Problem } from './errors.js';
import { knownKeys } from './introspect.js';
import { suggestion } from './options/index.js';
import { sentence } from './sentences.js';
import { type Path, pathId, readYaml, type YamlSource } from './source.js';

/** Where a configuration is read from. */
export interface ConfigPlace {
  readonly disk: Pick<Disk, 'readFileSync'>;
  readonly file: string;
  readonly environment: Environment;
}

/** What `loadConfig` reads and checks. */
export interface LoadOptions<S extends z.ZodType> extends ConfigPlace {
  readonly schema: S;
  /** Changes the document before it is checked: what the command line overrides. */
  adjust?: Adjust;
}

type Adjust = (document: Readonly<Record<string, unknown>>) => Record<string, unknown>;

/** Mistakes of a file, to be told with their places. Throws the `ConfigError`. */
type Fail = (problems: readonly { readonly path: Path; readonly text: string }[]) => never;

/** A file that was read and is not checked yet. */
export interface ReadConfig {
  /**
   * Text that stands in the list `key`, as far as it can be made out; by its place in the list.
   * What schema the file has may depend on it.
   */
  textsOf(key: string): ReadonlyMap<number, string>;
  /** Throws one `ConfigError` that names every mistake with its line and column. */
  check<S extends z.ZodType>(schema: S, adjust?: Adjust): Loaded<z.output<S>>;
  readonly fail: Fail;
}

/** A configuration that has passed every check. */
export interface Loaded<T> {
  /** With defaults filled in and primitives parsed (milliseconds, bytes, secrets). */
  readonly config: T;
  /** As it was written, variables filled in. */
  readonly document: unknown;
  /** Reports mistakes that only show once parts are put together, with their places. */
  readonly fail: Fail;
}

function readFile(disk: Pick<Disk, 'readFileSync'>, file: string): string {
  try {
    return disk.readFileSync(file).toString('utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'this is a directory, not a file',
      EACCES: 'permission to read it is denied',
    };
    throw new ConfigError(file, reasons[code ?? ''] ?? `cannot be read (${code})`, { cause });
  }
}

function subject(path: Path): string {
  return path.length === 0 ? '' : `${path.map(String).join('.')}: `;
}

/** zod's issues, those inside unions included, as problems with their places. */
function explain(
  issues: readonly z.core.$ZodIssue[],
  base: Path,
  source: YamlSource,
  schema: z.core.$ZodType,
): Problem[] {
  const mistyped = new Set<string>();
  return issues.flatMap((issue): Problem[] => {
    const path = [...base, ...issue.path];
    // What has the wrong type is often too short as well: the first is what helps.
    if (source.spoiled.has(pathId(path)) || mistyped.has(pathId(path))) return [];
    if (issue.code === 'invalid_type') mistyped.add(pathId(path));
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(schema, path, source.value);
      return issue.keys.map((key) => ({
        ...source.placeOfKey([...path, key]),
        text: `${subject(path)}unknown key "${key}"${suggestion(key, known)}`,
      }));
    }
    if (issue.code === 'invalid_key') {
      const words = issue.issues.map((nested) => nested.message).join(', ');
      return [{ ...source.placeOfKey(path), text: `${subject(path)}this name ${words}` }];
    }
    if (issue.code === 'invalid_union') {
      const deeper = issue.errors.find((branch) => branch.some((nested) => nested.path.length > 0));
      if (deeper) return explain(deeper, path, source, schema);
    }
    return [{ ...source.placeOf(path), text: `${subject(path)}${issue.message}` }];
  });
}

/**
 * Reads a YAML file, fills in variables of the environment and checks it against `schema`.
 * Throws one `ConfigError` that names every mistake with its line and column.
 */
export function loadConfig<S extends z.ZodType>(options: LoadOptions<S>): Loaded<z.output<S>> {
  return readConfig(options).check(options.schema, options.adjust);
}

/**
 * Reads a YAML file and fills in variables of the environment. Throws a `ConfigError` where there
 * is nothing to read; what is wrong with the text is said by `check`.
 */
export function readConfig({ disk, file, environment }: ConfigPlace): ReadConfig {
  const source = readYaml(readFile(disk, file), environment);
  const isYaml = !source.problems.some(({ text }) => text.startsWith('is not YAML'));
  const fail: Fail = (found) => {
    const placed = found.map(({ path, text }) => ({
      ...source.placeOf(path),
      text: `${subject(path)}${text}`,
    }));
    throw new ConfigError(file, inOrder(placed));
  };
  return {
    fail,
    textsOf(key) {
      const list = isYaml && isMapping(source.value) ? source.value[key] : undefined;
      const texts = (Array.isArray(list) ? list : []).entries();
      const isText = (index: number, text: unknown) =>
        typeof text === 'string' && !source.spoiled.has(pathId([key, index]));
      return new Map([...texts].filter(([index, text]) => isText(index, text)));
    },
    check(schema, adjust) {
      const document = adjust && isMapping(source.value) ? adjust(source.value) : source.value;
      const result = parsed(schema, document, file);
      const problems = [...source.problems];
      // What a broken document means is guesswork, so only its syntax is complained about.
      if (!result.success && isYaml) {
        problems.push(...explain(result.error.issues, [], source, schema));
      }
      if (problems.length > 0 || !result.success) throw new ConfigError(file, inOrder(problems));
      return { config: result.data, document, fail };
    },
  };
}

/** A check of a plugin's may throw, or give a promise. */
function parsed<S extends z.ZodType>(schema: S, document: unknown, file: string) {
  try {
    return schema.safeParse(document, { error: sentence });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(file, `cannot be checked: ${why}`, { cause });
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
