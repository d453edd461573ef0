import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { runInThisContext } from 'node:vm';
import ts from 'typescript';
import * as config from '../../config/index.js';
import * as records from '../../protocol/records/index.js';
import * as system from '../../system/index.js';
import type { AgentParts } from './file-world.js';

/** A rule that is taken out of a source file. */
export interface Mutation {
  readonly name: string;
  /** Below agent/. */
  readonly file: string;
  /** Must stand exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

const agent = resolve(import.meta.dirname, '../../agent');
const require = createRequire(import.meta.url);
const compiled = new Map<string, string>();
const others: Readonly<Record<string, unknown>> = {
  'config/index.js': config,
  'protocol/records/index.js': records,
  'system/index.js': system,
};

/** The classes under test, with one mutation in their sources. */
export function mutate(mutation: Mutation): AgentParts {
  const loaded = new Map<string, Record<string, unknown>>();
  const load = (path: string): Record<string, unknown> => {
    const known = loaded.get(path);
    if (known !== undefined) return known;
    const exports: Record<string, unknown> = {};
    loaded.set(path, exports);
    const isMutated = path === join(agent, mutation.file);
    const code = isMutated ? compile(path, mutation) : (compiled.get(path) ?? compile(path));
    if (!isMutated) compiled.set(path, code);
    const run = runInThisContext(`(function (exports, require) {${code}\n})`, { filename: path });
    run(exports, (name: string): unknown => {
      if (!name.startsWith('.')) return require(name);
      const target = join(dirname(path), name);
      const outside = Object.keys(others).find((end) => target === resolve(agent, '..', end));
      return outside ? others[outside] : load(target.replace(/\.js$/, '.ts'));
    });
    return exports;
  };
  const { FileSource } = load(join(agent, 'sources/file/file-source.ts'));
  const { Positions } = load(join(agent, 'positions.ts'));
  return { FileSource, Positions } as AgentParts;
}

function compile(path: string, mutation?: Mutation): string {
  let source = readFileSync(path, 'utf8');
  if (mutation !== undefined) {
    if (source.split(mutation.find).length !== 2) {
      throw new Error(`"${mutation.find}" must stand exactly once in ${mutation.file}`);
    }
    source = source.replace(mutation.find, () => mutation.replace);
  }
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(source, { compilerOptions }).outputText;
}
