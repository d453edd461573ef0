import { dirname, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { doors, parts, root, type Source, sources } from './sources.js';

// The house rules of docs/ARCHITECTURE.md: who may import whom, and how big a room may get.

/** For each area (the longest matching prefix rules), the areas of ours that it may import. */
const mayImport: Record<string, readonly string[]> = {
  system: [],
  protocol: [],
  config: ['system'],
  client: ['protocol', 'system', 'config/options'],
  'client/section': ['client', 'config'],
  broker: ['protocol', 'config', 'system', 'client/connection'],
  'broker/log': ['protocol', 'system'],
  agent: ['client', 'protocol/records', 'config', 'system', 'broker/log'],
  sinks: ['client', 'protocol/records', 'config', 'system'],
  cli: parts,
  index: ['client', 'broker'],
  plugin: ['agent', 'sinks', 'config', 'system'],
};

/** Hot functions that may be longer than 70 lines; at most five, each with its reason. */
const longFunctions: Record<string, string> = {};

const systemOnly =
  /^(node:)?(fs|fs\/promises|net|tls|dgram|http|https|http2|child_process|timers|timers\/promises|undici)$/;
const clockAndChance =
  /\bDate\.now\(|\bnew Date\(\)|\bperformance\.|\bMath\.random\(|\brandomBytes\(|\bsetTimeout\(|\bsetInterval\(|\bsetImmediate\(|\bfetch\(/;

/** The text without comments and strings, so that prose cannot break a rule. */
function codeOf(source: Source): string {
  const printer = ts.createPrinter({ removeComments: true });
  return printer.printFile(source.tree).replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''");
}

function areaOf(path: string): string {
  const folder = doors.includes(path) ? path.replace(/\.ts$/, '') : dirname(path);
  const found = Object.keys(mayImport)
    .filter((area) => folder === area || folder.startsWith(`${area}/`))
    .sort((a, b) => b.length - a.length)[0];
  if (found === undefined) throw new Error(`${path} stands in no area`);
  return found;
}

const topOf = (path: string): string => path.split('/')[0] ?? path;

function importFault(from: Source, target: string): string | undefined {
  const toFolder = dirname(target);
  const fromFolder = doors.includes(from.path) ? '' : dirname(from.path);
  const isDoor = target.endsWith('/index.ts');
  const isOwnOrAbove = fromFolder === toFolder || fromFolder.startsWith(`${toFolder}/`);
  if (isOwnOrAbove && isDoor) return `${from.path} imports its own folder's door ${target}`;
  if (!isOwnOrAbove && !isDoor) return `${from.path} → ${target}: only index.ts of another folder`;
  if (topOf(target) === topOf(from.path)) {
    // Within one part anything goes but for areas with a stricter row (broker/log).
    if (areaOf(from.path) === areaOf(target) || areaOf(from.path) === topOf(from.path))
      return undefined;
  }
  const allowed = mayImport[areaOf(from.path)] ?? [];
  const ok = allowed.some((area) => toFolder === area || toFolder.startsWith(`${area}/`));
  return ok ? undefined : `${from.path} → ${target}: forbidden by the import table`;
}

function findCycle(): string[] | undefined {
  const graph = new Map(sources.map((source) => [source.path, source.imports]));
  const done = new Set<string>();
  const trail: string[] = [];
  const walk = (path: string): string[] | undefined => {
    const at = trail.indexOf(path);
    if (at >= 0) return [...trail.slice(at), path];
    if (done.has(path)) return undefined;
    trail.push(path);
    for (const next of graph.get(path) ?? []) {
      const cycle = walk(next);
      if (cycle !== undefined) return cycle;
    }
    trail.pop();
    done.add(path);
    return undefined;
  };
  for (const { path } of sources) {
    const cycle = walk(path);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function functionsOf(source: Source): { name: string; lineCount: number }[] {
  const found: { name: string; lineCount: number }[] = [];
  const lineOf = (position: number): number =>
    source.tree.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const name = node.name?.getText() ?? '(anonymous)';
      const lineCount = lineOf(node.end) - lineOf(node.getStart()) + 1;
      found.push({ name: `${source.path}:${name}`, lineCount });
    }
    ts.forEachChild(node, visit);
  };
  visit(source.tree);
  return found;
}

describe('the house', () => {
  it('follows the import table', () => {
    const faults = sources.flatMap((source) =>
      source.imports.map((target) => importFault(source, target)).filter((fault) => fault),
    );
    expect(faults).toEqual([]);
  });

  it('has no import cycles', () => {
    expect(findCycle()).toBeUndefined();
  });

  it('touches the operating system only in system/real', () => {
    const faults = sources
      .filter((source) => !source.path.startsWith('system/real/'))
      .flatMap((source) => [
        ...source.packages
          .filter((name) => systemOnly.test(name))
          .map((n) => `${source.path}: ${n}`),
        ...(clockAndChance.exec(codeOf(source)) ?? []).map((hit) => `${source.path}: ${hit}`),
      ]);
    expect(faults).toEqual([]);
  });

  it('compiles code at run time in one place only', () => {
    const places = sources.flatMap((source) =>
      (codeOf(source).match(/\bnew Function\(/g) ?? []).map(() => source.path),
    );
    expect(places).toHaveLength(1);
    expect(places[0]).toMatch(/^protocol\/codec\//);
  });

  it('keeps files within 500 lines and their median within 150', () => {
    const sizes = sources.map((source) => source.lines.length - 1).sort((a, b) => a - b);
    const tooLong = sources.filter((source) => source.lines.length - 1 > 500).map((s) => s.path);
    expect(tooLong).toEqual([]);
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(150);
  });

  it('keeps functions within 70 lines', () => {
    expect(Object.keys(longFunctions).length).toBeLessThanOrEqual(5);
    const tooLong = sources
      .flatMap(functionsOf)
      .filter(({ name, lineCount }) => lineCount > 70 && !(name in longFunctions))
      .map(({ name, lineCount }) => `${name} ${lineCount}`);
    expect(tooLong).toEqual([]);
  });

  it('keeps lines within 100 columns', () => {
    const tooWide = sources.flatMap((source) =>
      source.lines.flatMap((line, index) =>
        line.length > 100 ? [`${source.path}:${index + 1}`] : [],
      ),
    );
    expect(tooWide).toEqual([]);
  });

  it('gives the handlers of the broker no way to its resources past their doors', () => {
    // A check stands in broker/resources; whoever looks a topic or a group up elsewhere forgets it.
    const behind = /^broker\/((services|topics|partitions|log-directory|broker)\.ts$|metadata\/)/;
    const faults = sources
      .filter(({ path }) => path.startsWith('broker/api/') || path === 'broker/handler.ts')
      .flatMap(({ path, imports }) => imports.map((target) => ({ path, target })))
      .filter(({ target }) => behind.test(target));
    expect(faults).toEqual([]);
  });

  it('has no default exports and no folder of odds and ends', () => {
    const faults = sources.filter(
      (source) =>
        /^export default\b/m.test(source.text) ||
        /(^|\/)(utils?|helpers?|common|managers?)(\/|\.ts$)/.test(source.path),
    );
    expect(faults.map((source) => source.path)).toEqual([]);
  });

  it('names nothing of the machine it was written on', () => {
    const here = relative('/', root).split('/')[0] ?? '';
    const faults = sources.filter((source) => source.text.includes(`/${here}/main`));
    expect(faults.map((source) => source.path)).toEqual([]);
  });
});
