import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { type Source, sources } from './sources.js';

/**
 * The pure cores, by the file of their `step`, and the other files that are their own: these alone
 * know the type whose fields change.
 */
const cores: Readonly<Record<string, readonly string[]>> = {
  'agent/sources/file/identity.ts': [
    'agent/sources/file/adoption.ts',
    'agent/sources/file/generation.ts',
    'agent/sources/file/identity-events.ts',
    'agent/sources/file/identity-state.ts',
  ],
  'broker/group/classic/step.ts': [
    'broker/group/classic/events.ts',
    'broker/group/classic/join.ts',
    'broker/group/classic/membership.ts',
    'broker/group/classic/model.ts',
    'broker/group/classic/protocols.ts',
    'broker/group/classic/rebalance.ts',
    'broker/group/classic/static-member.ts',
    'broker/group/classic/sync.ts',
    'broker/group/classic/turn.ts',
  ],
  'client/consumer/membership.ts': [],
  'client/producer/step.ts': ['client/producer/line.ts'],
  'sinks/archive/claims/chain.ts': ['sinks/archive/claims/state.ts'],
  'sinks/delivery/narrowing.ts': [],
};

const byPath = new Map(sources.map((source) => [source.path, source]));

type Declaration =
  | ts.FunctionDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.ClassDeclaration
  | ts.VariableDeclaration;

/** What stands under a name, and where; through the doors (`index.ts`) that pass it on. */
interface Found {
  readonly source: Source;
  readonly declaration: Declaration;
}

function isExported(node: ts.Node): boolean {
  const modifiers = ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined;
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

function declarationsOf({ tree }: Source): Declaration[] {
  return tree.statements.flatMap((node): Declaration[] => {
    if (ts.isVariableStatement(node)) return [...node.declarationList.declarations];
    if (ts.isFunctionDeclaration(node) || ts.isInterfaceDeclaration(node)) return [node];
    return ts.isTypeAliasDeclaration(node) || ts.isClassDeclaration(node) ? [node] : [];
  });
}

/** The file that a module specifier names; undefined for packages. */
function targetOf(source: Source, specifier: ts.Expression | undefined): Source | undefined {
  if (specifier === undefined || !ts.isStringLiteral(specifier)) return undefined;
  if (!specifier.text.startsWith('.')) return undefined;
  const path = new URL(specifier.text, `file:///${source.path}`).pathname.slice(1);
  return byPath.get(path.replace(/\.js$/, '.ts'));
}

/** Names that a file takes from others: its own name for it, the original one, and from where. */
function imported(source: Source): { own: string; name: string; from: Source }[] {
  return source.tree.statements.flatMap((node) => {
    const isImport = ts.isImportDeclaration(node);
    if (!isImport && !ts.isExportDeclaration(node)) return [];
    const from = targetOf(source, node.moduleSpecifier);
    const names = isImport ? node.importClause?.namedBindings : node.exportClause;
    if (from === undefined) return [];
    if (names === undefined || ts.isNamespaceImport(names) || ts.isNamespaceExport(names)) {
      return names === undefined && isImport ? [] : [{ own: '*', name: '*', from }];
    }
    return names.elements.map((one) => ({
      own: one.name.text,
      name: (one.propertyName ?? one.name).text,
      from,
    }));
  });
}

function find(source: Source, name: string): Found | undefined {
  const declaration = declarationsOf(source).find((one) => one.name?.getText() === name);
  if (declaration !== undefined) return { source, declaration };
  const passed = imported(source).find(({ own }) => own === name);
  return passed && find(passed.from, passed.name);
}

function isOwn(core: string, path: string): boolean {
  return path === core || (cores[core]?.includes(path) ?? false);
}

/** What in a type can be changed through it; looks into the types of the core's own files. */
function mutableIn(core: string, source: Source, node: ts.Node, seen: Set<ts.Node>): string[] {
  if (seen.has(node)) return [];
  seen.add(node);
  const into = (one: ts.Node | undefined) => (one ? mutableIn(core, source, one, seen) : []);
  if (ts.isParameter(node)) return [];
  if (ts.isFunctionDeclaration(node)) {
    return node.type ? into(node.type) : [`${node.name?.text} has no declared type`];
  }
  if (ts.isVariableDeclaration(node)) return into(node.type);
  if (ts.isTypeOperatorNode(node) && node.operator === ts.SyntaxKind.ReadonlyKeyword) {
    const inner = ts.isArrayTypeNode(node.type) ? node.type.elementType : node.type;
    return ts.isTupleTypeNode(inner) ? inner.elements.flatMap(into) : into(inner);
  }
  if (ts.isArrayTypeNode(node) || ts.isTupleTypeNode(node)) return [node.getText()];
  if (ts.isPropertySignature(node)) {
    const modifiers = ts.getModifiers(node) ?? [];
    const isFixed = modifiers.some(({ kind }) => kind === ts.SyntaxKind.ReadonlyKeyword);
    return [...(isFixed ? [] : [node.getText()]), ...into(node.type)];
  }
  if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
    return mutableInReference(core, source, node, seen);
  }
  const found: string[] = [];
  ts.forEachChild(node, (child) => void found.push(...into(child)));
  return found;
}

function mutableInReference(
  core: string,
  source: Source,
  node: ts.TypeReferenceNode | ts.ExpressionWithTypeArguments,
  seen: Set<ts.Node>,
): string[] {
  const name = (ts.isTypeReferenceNode(node) ? node.typeName : node.expression).getText();
  if (/^(Map|Set|Array)$/.test(name)) return [node.getText()];
  const argument = node.typeArguments?.[0];
  if (name === 'Readonly' && argument && ts.isTypeReferenceNode(argument)) {
    // Its own fields cannot be changed; what they hold may be.
    const found = find(source, argument.typeName.getText());
    if (!found || !ts.isInterfaceDeclaration(found.declaration)) return [node.getText()];
    return found.declaration.members.flatMap((member) =>
      ts.isPropertySignature(member) && member.type
        ? mutableIn(core, found.source, member.type, seen)
        : [],
    );
  }
  const inArguments = (node.typeArguments ?? []).flatMap((one) =>
    mutableIn(core, source, one, seen),
  );
  const found = find(source, name);
  if (!found || !isOwn(core, found.source.path)) return inArguments;
  return [...inArguments, ...mutableIn(core, found.source, found.declaration, seen)];
}

const isStep = (node: Declaration): node is ts.FunctionDeclaration | ts.VariableDeclaration =>
  node.name?.getText() === 'step' &&
  (ts.isVariableDeclaration(node) ? isExported(node.parent.parent) : isExported(node));

const stepFiles = sources
  .filter((source) => declarationsOf(source).some(isStep))
  .map(({ path }) => path);

/** Why a core's `step` has another shape; empty where it has the one. */
function stepFaults(path: string): string[] {
  const source = byPath.get(path);
  const declaration = source && declarationsOf(source).find(isStep);
  if (!declaration) return [`${path}: there is no step`];
  if (!ts.isFunctionDeclaration(declaration)) return [`${path}: step is no function declaration`];
  const parameters = declaration.parameters.map((one) => one.getText().replace(/\??:.*/s, ''));
  const shape = parameters.join(', ').replace('_now', 'now');
  const returned = declaration.type?.getText() ?? '';
  return [
    ...(shape === 'state, event, now' ? [] : [`${path}: step(${shape})`]),
    ...(/^readonly \w+(<\w+>)?\[\]$/.test(returned) ? [] : [`${path}: step returns ${returned}`]),
  ];
}

/** What others take of a core's own files, through which they could change its state. */
function leaks(core: string): string[] {
  return sources
    .filter(({ path }) => !isOwn(core, path))
    .flatMap((source) =>
      imported(source).flatMap(({ own, name, from }) => {
        if (name === '*') return isOwn(core, from.path) ? [`${source.path}: all of ${core}`] : [];
        const found = find(from, name);
        if (!found || !isOwn(core, found.source.path)) return [];
        const mutable = mutableIn(core, found.source, found.declaration, new Set());
        return mutable.map((what) => `${source.path}: ${own} has ${what}`);
      }),
    );
}

/** Whether a cast to this type can make a readonly field, list or map one that changes. */
function unlocks(node: ts.TypeNode): boolean {
  if (ts.isTypeLiteralNode(node)) {
    return node.members.some(
      (one) => !ts.isPropertySignature(one) || !/^readonly /.test(one.getText()),
    );
  }
  if (ts.isImportTypeNode(node) || ts.isMappedTypeNode(node) || ts.isArrayTypeNode(node)) {
    return true;
  }
  return ts.isTypeReferenceNode(node) && /^(Map|Set|Array)$/.test(node.typeName.getText());
}

/** Ways around `readonly`, which the compiler lets pass. */
function disguisesIn(node: ts.Node): string[] {
  const found: string[] = [];
  if (ts.isAsExpression(node) && unlocks(node.type)) found.push(node.getText());
  else if (ts.isImportTypeNode(node)) found.push(node.getText());
  else if (ts.isCallExpression(node)) {
    const isWrite = /^(Object\.(assign|definePropert(y|ies))|Reflect\.set)$/;
    const [target] = node.arguments;
    const isNew = target && (ts.isObjectLiteralExpression(target) || ts.isNewExpression(target));
    if (isWrite.test(node.expression.getText()) && !isNew) found.push(node.getText());
  }
  ts.forEachChild(node, (child) => void found.push(...disguisesIn(child)));
  return found;
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/'));

/** Whether a file's code may hold a core's state: it stands beside it, or takes of its files. */
function meets(core: string, source: Source): boolean {
  if (isOwn(core, source.path)) return false;
  if (folderOf(source.path) === folderOf(core)) return true;
  return imported(source).some(({ from }) => isOwn(core, from.path));
}

describe('the pure cores', () => {
  it('are guarded against what the compiler lets pass', () => {
    const texts = [
      '(one as { place: unknown }).place = 1',
      '(one as import("./x.js").MutableX).place = 1',
      '(all as Map<number, unknown>).delete(1)',
      '(list as unknown[]).push(1)',
      'Object.assign(one, { place: 1 })',
      'Reflect.set(one, "place", 1)',
    ];
    for (const text of [...texts, 'Object.assign({}, one); (one as Other).read()']) {
      const tree = ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest, true);
      expect(disguisesIn(tree).length > 0, text).toBe(texts.includes(text));
    }
  });

  it('are those that are known', () => {
    expect(stepFiles.sort()).toEqual(Object.keys(cores).sort());
    for (const path of Object.values(cores).flat()) expect(byPath.has(path), path).toBe(true);
  });

  it.each(Object.keys(cores))('%s: step(state, event, now) returns effects', (path) => {
    expect(stepFaults(path)).toEqual([]);
  });

  it.each(Object.keys(cores))('%s: others see its state as readonly', (path) => {
    expect(leaks(path)).toEqual([]);
  });

  it.each(Object.keys(cores))('%s: nobody gets around that', (core) => {
    const found = sources
      .filter((source) => meets(core, source))
      .flatMap(({ path, tree }) => disguisesIn(tree).map((text) => `${path}: ${text}`));
    expect(found).toEqual([]);
  });

  it.each(Object.keys(cores))('%s: does no I/O', (path) => {
    const own = sources.filter((source) => isOwn(path, source.path));
    const impure = own.flatMap((source) =>
      source.imports.filter((target) => target.startsWith('system/')),
    );
    expect(impure).toEqual([]);
  });
});
