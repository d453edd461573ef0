import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** What a module loads as soon as it is loaded: values, not types, and nothing loaded lazily. */
function importsOf(path: string): string[] {
  const source = ts.createSourceFile(
    path,
    readFileSync(join(root, path), 'utf8'),
    ts.ScriptTarget.Latest,
  );
  return source.statements.flatMap((statement) => {
    if (ts.isImportDeclaration(statement)) {
      const clause = statement.importClause;
      const bindings = clause?.namedBindings;
      const onlyTypes =
        clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
        (bindings !== undefined &&
          ts.isNamedImports(bindings) &&
          bindings.elements.length > 0 &&
          bindings.elements.every((element) => element.isTypeOnly));
      return onlyTypes ? [] : [(statement.moduleSpecifier as ts.StringLiteral).text];
    }
    if (ts.isExportDeclaration(statement) && statement.moduleSpecifier && !statement.isTypeOnly) {
      return [(statement.moduleSpecifier as ts.StringLiteral).text];
    }
    return [];
  });
}

/** Everything that these modules load at once, ours and packages. */
function graphOf(...entries: string[]): Set<string> {
  const found = new Set<string>();
  const walk = (path: string) => {
    if (found.has(path)) return;
    found.add(path);
    for (const name of importsOf(path)) {
      if (name.startsWith('.')) walk(posix.join(dirname(path), name).replace(/\.js$/, '.ts'));
      else found.add(name);
    }
  };
  for (const entry of entries) walk(entry);
  return found;
}

/** What a role's process loads: the command line, and lazily its own modules. */
const graphOfRole = (role: string) =>
  graphOf('cli/main.ts', 'cli/role.ts', 'cli/roles.ts', `cli/role-${role}.ts`);

const heavy = ['undici', 'chokidar', 'pino', 'prom-client', 'cli-table3', 'tail', 'postal-mime'];

describe('the module graph', () => {
  it('the command line alone loads no role and nothing heavy', () => {
    const graph = graphOf('cli/main.ts');
    const parts = [...graph].filter((path) => /^(agent|broker|client|sinks|protocol)\//.test(path));
    expect(parts).toEqual([]);
    expect(heavy.filter((name) => graph.has(name))).toEqual([]);
  });

  it('each role loads its own part and none of the others', () => {
    for (const [role, others] of [
      ['broker', ['agent', 'sinks']],
      ['agent', ['sinks']],
      ['sinks', ['agent']],
    ] as const) {
      const graph = [...graphOfRole(role)];
      expect(graph).toContain(`${role}/index.ts`);
      for (const other of others) {
        expect(graph.filter((path) => path.startsWith(`${other}/`))).toEqual([]);
      }
    }
  });

  it('the broker loads neither clients nor heavy libraries', () => {
    const graph = graphOfRole('broker');
    expect(heavy.filter((name) => graph.has(name))).toEqual([]);
    expect([...graph].filter((path) => /^client\/(?!connection)/.test(path))).toEqual([]);
    expect([...graph].filter((path) => path.startsWith('cli/demo/'))).toEqual([]);
  });
});
