import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

/** What a process loads before it does anything: the static imports, types left out. */
const root = join(import.meta.dirname, '../..');
const importFrom = /^(?:import|export) (?!type )(?:[^;']*? from )?'([^']+)';/gm;

function loadedBy(...entries: string[]): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (files.has(path)) return;
    files.add(path);
    for (const [, name = ''] of readFileSync(join(root, path), 'utf8').matchAll(importFrom)) {
      if (name.startsWith('.')) visit(posix.join(dirname(path), name).replace(/\.js$/, '.ts'));
      else if (!name.startsWith('node:')) packages.add(name);
    }
  };
  for (const entry of entries) visit(entry);
  return { files: [...files], packages: [...packages] };
}

/** The parts, by their first folder. */
const partsOf = (files: readonly string[]): string[] =>
  [...new Set(files.map((file) => file.split('/')[0] ?? file))].sort();

const shell = ['cli/main.ts', 'cli/role.ts'];

describe('what is loaded at a start', () => {
  it.each([
    ['cli/role-broker.ts', ['broker', 'cli', 'config', 'protocol', 'system']],
    ['cli/role-agent.ts', ['agent', 'cli', 'client', 'config', 'protocol', 'system']],
    ['cli/role-sinks.ts', ['cli', 'client', 'config', 'protocol', 'sinks', 'system']],
  ])('%s loads its own parts and nothing of the other roles', (role, parts) => {
    const { files, packages } = loadedBy(...shell, role);
    expect(partsOf(files)).toEqual(parts);
    expect(files.filter((file) => /^(config\/describe|cli\/demo)\//.test(file))).toEqual([]);
    // An import of CommonJS costs twice what requiring it does; zod brings its languages besides.
    expect(packages).toEqual([]);
  });

  it('the library loads neither the configuration nor a package by import', () => {
    const { files, packages } = loadedBy('index.ts');
    expect(files.filter((file) => file.startsWith('config/'))).toEqual([]);
    expect(packages).toEqual([]);
  });

  it('looks at files that are there', () => {
    expect(loadedBy('cli/role-broker.ts').files.every((file) => existsSync(join(root, file)))).toBe(
      true,
    );
    expect(loadedBy('cli/role-broker.ts').files.length).toBeGreaterThan(100);
  });
});
