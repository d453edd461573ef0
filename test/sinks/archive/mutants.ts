import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { runInThisContext } from 'node:vm';
import ts from 'typescript';
import * as config from '../../../config/index.js';
import * as records from '../../../protocol/records/index.js';
import type { Implementation } from './world.js';

/** A step or rule that is taken out of a source file. */
export interface Mutation {
  readonly name: string;
  /** Below sinks/. */
  readonly file: string;
  /** Must stand exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** A second rule of the same file that guards the same thing. */
  readonly also?: { readonly find: string; readonly replace: string };
}

const sinks = resolve(import.meta.dirname, '../../../sinks');
const require = createRequire(import.meta.url);
const compiled = new Map<string, string>();

/** The classes under test, with one mutation in their sources. */
export function mutate(mutation: Mutation | undefined): Implementation {
  const loaded = new Map<string, Record<string, unknown>>();
  const load = (path: string): Record<string, unknown> => {
    const known = loaded.get(path);
    if (known !== undefined) return known;
    const exports: Record<string, unknown> = {};
    loaded.set(path, exports);
    const isMutated = mutation !== undefined && path === join(sinks, mutation.file);
    const code = isMutated ? compile(path, mutation) : (compiled.get(path) ?? compile(path));
    if (!isMutated) compiled.set(path, code);
    const run = runInThisContext(`(function (exports, require) {${code}\n})`, { filename: path });
    run(exports, (name: string): unknown => {
      if (!name.startsWith('.')) return require(name);
      if (name.endsWith('protocol/records/index.js')) return records;
      if (name.endsWith('config/index.js')) return config;
      return load(join(dirname(path), name.replace(/\.js$/, '.ts')));
    });
    return exports;
  };
  return {
    ...load(join(sinks, 'archive/partition-writer.ts')),
    ...load(join(sinks, 'archive/stores/index.ts')),
    ...load(join(sinks, 'archive/live-encoder.ts')),
  } as unknown as Implementation;
}

function compile(path: string, mutation?: Mutation): string {
  let source = readFileSync(path, 'utf8');
  for (const edit of mutation === undefined ? [] : [mutation, mutation.also ?? []].flat()) {
    if (source.split(edit.find).length !== 2) {
      throw new Error(`"${edit.find}" must stand exactly once in ${path}`);
    }
    source = source.replace(edit.find, () => edit.replace);
  }
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(source, { compilerOptions }).outputText;
}
