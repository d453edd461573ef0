import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import ts from 'typescript';

/** The sources of the product, parsed: for tests that hold the house rules. */
export const root = join(import.meta.dirname, '..');
export const parts = ['agent', 'broker', 'sinks', 'protocol', 'client', 'config', 'cli', 'system'];

export interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly tree: ts.SourceFile;
  /** Relative imports as paths of the project; and the packages. */
  readonly imports: readonly string[];
  readonly packages: readonly string[];
}

function listSources(directory: string): string[] {
  return readdirSync(join(root, directory)).flatMap((name) => {
    const path = posix.join(directory, name);
    if (statSync(join(root, path)).isDirectory()) return listSources(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const specifiers: string[] = [];
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      specifiers.push(node.moduleSpecifier.text);
    }
    const argument =
      ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
        ? node.arguments[0]
        : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
          ? node.argument.literal
          : undefined;
    if (argument !== undefined && ts.isStringLiteral(argument)) specifiers.push(argument.text);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return {
    path,
    text,
    lines: text.split('\n'),
    tree,
    imports: specifiers
      .filter((name) => name.startsWith('.'))
      .map((name) => posix.join(dirname(path), name).replace(/\.js$/, '.ts')),
    packages: specifiers.filter((name) => !name.startsWith('.')),
  };
}

/** What the package exports. */
export const doors = ['index.ts', 'plugin.ts'];

export const sources = [...parts.flatMap(listSources), ...doors].map(readSource);
