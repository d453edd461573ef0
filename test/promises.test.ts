import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/**
 * Places where a promise is let go with nobody to hear its failure, as `file:line what`:
 *
 * - a statement, or the operand of `void`, whose value is a promise: `await` it, or hand it to
 *   `detach`, which asks for somebody who hears of a failure;
 * - an asynchronous function where one is wanted that returns nothing: whoever calls it drops
 *   what it returns.
 *
 * TypeScript's checker is asked, for it knows every type. Biome's rule (on as well, for editors)
 * guesses them: of fifty places here it found three, and it takes `void` for an answer.
 */
function lostPromises(program: ts.Program, files: readonly ts.SourceFile[]): string[] {
  const checker = program.getTypeChecker();
  const found: string[] = [];
  const report = (node: ts.Node, what: string): void => {
    const file = node.getSourceFile();
    const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    found.push(`${relative(root, file.fileName)}:${line} ${what}`);
  };
  const isPromise = (type: ts.Type): boolean => {
    if (type.isUnion()) return type.types.some(isPromise);
    const then = checker.getPropertyOfType(checker.getApparentType(type), 'then');
    return then !== undefined && checker.getTypeOfSymbol(then).getCallSignatures().length > 0;
  };
  const returnsPromise = (type: ts.Type): boolean =>
    type.getCallSignatures().some((signature) => isPromise(signature.getReturnType()));
  const wantsNothing = (type: ts.Type): boolean => {
    const parts = type.isUnion() ? type.types : [type];
    const calls = parts.flatMap((part) => part.getCallSignatures());
    const isVoid = (call: ts.Signature) => (call.getReturnType().flags & ts.TypeFlags.Void) !== 0;
    return calls.length > 0 && calls.every(isVoid);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node) || ts.isVoidExpression(node)) {
      const isLost = valuesOf(node.expression).some((part) =>
        isPromise(checker.getTypeAtLocation(part)),
      );
      if (isLost) report(node, 'lets a promise go');
    }
    if (ts.isExpression(node) && mayBeFunction(node)) {
      const wanted = checker.getContextualType(node);
      if (
        wanted !== undefined &&
        wantsNothing(wanted) &&
        returnsPromise(checker.getTypeAtLocation(node))
      ) {
        report(node, 'is asynchronous, and its caller does not look');
      }
    }
    ts.forEachChild(node, visit);
  };
  for (const file of files) visit(file);
  return found;
}

/** The expressions that a statement may have for its value; an assignment keeps what it has. */
function valuesOf(node: ts.Expression): ts.Expression[] {
  if (ts.isParenthesizedExpression(node)) return valuesOf(node.expression);
  if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].flatMap(valuesOf);
  if (!ts.isBinaryExpression(node)) return [node];
  const { kind } = node.operatorToken;
  const isAssignment =
    kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
  return isAssignment ? [] : [node.left, node.right].flatMap(valuesOf);
}

function mayBeFunction(node: ts.Expression): boolean {
  return (
    ts.isArrowFunction(node) ||
    ts.isFunctionExpression(node) ||
    ts.isIdentifier(node) ||
    ts.isPropertyAccessExpression(node)
  );
}

function ownFiles(program: ts.Program): ts.SourceFile[] {
  return program.getSourceFiles().filter(({ fileName }) => !fileName.includes('node_modules'));
}

const planted = `
declare function work(): Promise<number>;
declare function later(callback: () => void): void;
declare const maybe: { run?(): Promise<void> };
declare const isOn: boolean;
declare const thenable: PromiseLike<string>;
class Shell { async go(): Promise<void> {} }
const shell = new Shell();
work();
void work();
work().then(() => {}, () => {});
work().catch(() => {});
isOn && work();
isOn ? work() : undefined;
maybe.run?.();
void thenable;
later(async () => {});
later(() => work());
later(shell.go);
const good = work();
later(() => { const kept = work(); return undefined; });
await work();
later(() => console.log(good));
`;

function planting(text: string): ts.Program {
  const name = join(root, 'planted.ts');
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    lib: ['lib.es2023.d.ts'],
    types: ['node'],
    strict: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (path, ...rest) =>
    path === name
      ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true)
      : getSourceFile(path, ...rest);
  return ts.createProgram([name], options, host);
}

describe('promises', () => {
  it('are found where they are planted', { timeout: 120_000 }, () => {
    const program = planting(planted);
    const lines = lostPromises(program, ownFiles(program)).map((hit) => hit.split(/[: ]/)[1]);
    expect([...new Set(lines)].map(Number)).toEqual([9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  it('are never let go but through detach', { timeout: 240_000 }, () => {
    const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} };
    const config = ts.getParsedCommandLineOfConfigFile(join(root, 'tsconfig.json'), {}, host);
    const program = ts.createProgram(config?.fileNames ?? [], config?.options ?? {});
    const files = ownFiles(program);
    expect(files.length).toBeGreaterThan(500);
    const lost = lostPromises(program, files).filter((hit) => !hit.startsWith('system/detach.ts'));
    expect(lost).toEqual([]);
  });
});
