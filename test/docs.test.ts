import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { handlers } from '../broker/api/index.js';
import { withDefaults } from '../client/consumer/settings.js';
import { resolveSettings } from '../client/producer/options.js';
import { apis } from '../protocol/index.js';

/** What the pages say is tried: their programs run, their tables are compared with the code. */
const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'logflume-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const typescriptOf = (page: string): string =>
  [...read(page).matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code).join('\n');

/** The page's program in a folder of its own, with the built package. */
function programOf(page: string): string {
  const library = pathToFileURL(join(root, 'dist/index.js')).href;
  const { outputText } = ts.transpileModule(typescriptOf(page), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const path = join(folder, `${page.replace(/\W/g, '-')}.mjs`);
  writeFileSync(path, outputText.replace("'logflume'", `'${library}'`));
  return path;
}

function typeFaults(pages: readonly string[]): string[] {
  const names = pages.map((page) => join(root, `docs-${page.replace(/\W/g, '-')}.ts`));
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  const textOf = (name: string) => {
    const page = pages[names.indexOf(name)];
    return page === undefined ? undefined : typescriptOf(page);
  };
  host.fileExists = (name) => names.includes(name) || fileExists(name);
  host.readFile = (name) => textOf(name) ?? readFile(name);
  host.getSourceFile = (name, language, ...rest) => {
    const text = textOf(name);
    if (text === undefined) return getSourceFile(name, language, ...rest);
    return ts.createSourceFile(name, text, language);
  };
  const program = ts.createProgram(names, { ...options, noUnusedLocals: false }, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map((fault) => `${fault.file?.fileName}: ${JSON.stringify(fault.messageText)}`);
}

describe('the programs on the pages', () => {
  it('type-check against the package', () => {
    expect(typeFaults(['README.md', 'docs/client.md', 'docs/moving-from-kafkajs.md'])).toEqual([]);
  });

  it('docs/client.md runs from top to bottom', async () => {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [programOf('docs/client.md')],
      { cwd: folder, timeout: 25_000 },
    );
    expect(stderr).toBe('');
    for (const said of [
      'written at',
      'one topic',
      'NO_METADATA 0',
      '1 0 -1',
      'soup',
      'paid 1999',
      'closed as',
    ]) {
      expect(stdout).toContain(said);
    }
  });

  it('docs/moving-from-kafkajs.md runs from top to bottom', async () => {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [programOf('docs/moving-from-kafkajs.md')],
      { cwd: folder, timeout: 25_000 },
    );
    expect(stderr).toBe('');
    for (const said of ['placed 2', 'failed white', 'earl grey 7', 'again after not today']) {
      expect(stdout).toContain(said);
    }
    expect(stdout).toMatch(/^ends 1 stored [12]$/m);
  });

  it('README.md delivers what it sends', async () => {
    const child = spawn(process.execPath, [programOf('README.md')], { cwd: folder });
    try {
      let printed = '';
      await new Promise<void>((resolve, reject) => {
        child.on('exit', () => reject(new Error(`it ended: ${printed}`)));
        child.stderr.on('data', (bytes) => {
          printed += bytes;
        });
        child.stdout.on('data', (bytes) => {
          printed += bytes;
          if (/^0 tea$/m.test(printed)) resolve();
        });
      });
    } finally {
      child.removeAllListeners('exit').kill('SIGKILL');
    }
  });
});

/** The rows of every table of a page, as cells. */
const rowsOf = (page: string): string[][] =>
  read(page)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

const units: Record<string, number> = {
  ...{ ms: 1, s: 1_000, min: 60_000, B: 1, KiB: 1_024, MiB: 1_048_576 },
};

/** A default as the page prints it: `30 s`, `64 MiB`, `none`. */
function printedValue(cell: string): unknown {
  const [, number, unit] = /^([\d.]+)(?: (\w+))?$/.exec(cell) ?? [];
  if (number !== undefined) return Number(number) * (unit === undefined ? 1 : (units[unit] ?? NaN));
  const words = cell.replaceAll('`', '');
  if (words === 'Infinity') return Number.POSITIVE_INFINITY;
  if (words === 'true' || words === 'false') return words === 'true';
  return words.includes(', ') ? words.split(', ') : words;
}

describe('the tables on the pages', () => {
  const bootstrap = ['localhost:9092'];

  it('docs/client.md has every default of producer and consumer as it is', () => {
    const documented = new Map(
      rowsOf('docs/client.md').map(([name = '', value = '']) => [name, printedValue(value)]),
    );
    const { acks, isIdempotent, compressionLevel, ...producer } = resolveSettings({ bootstrap });
    expect({ acks, isIdempotent, compressionLevel }).toEqual({
      ...{ acks: -1, isIdempotent: true, compressionLevel: undefined },
    });
    const { bootstrap: _, ...consumer } = withDefaults({ bootstrap }) as unknown as Record<
      string,
      unknown
    >;
    for (const [name, value] of Object.entries({ ...producer, ...consumer })) {
      expect([name, documented.get(`\`${name}\``)]).toEqual([name, value]);
    }
  });

  it('docs/compatibility.md has every API and its versions', () => {
    const documented = rowsOf('docs/compatibility.md').filter(([key = '']) => /^\d+$/.test(key));
    const real = [...handlers.values()].map(({ api }) => [
      String(api.key),
      api.name,
      `${api.minVersion}–${api.maxVersion}`,
    ]);
    expect(documented.map((row) => row.slice(0, 3))).toEqual(real);
    expect([...apis.keys()].sort()).toEqual([...handlers.keys()].sort());
  });
});

const listed = (directory: string, ending: string): string[] =>
  readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => posix.join(directory, name.replaceAll('\\', '/')));

const parts = ['agent', 'broker', 'cli', 'client', 'config', 'protocol', 'sinks', 'system'];
const tools = ['build.ts', 'bundle.ts', 'index.ts', 'plugin.ts'];
const sources = [...tools, ...[...parts, 'test'].flatMap((part) => listed(part, '.ts'))];

describe('what the pages point to', () => {
  it('is there: links from page to page, and pages that sources name', () => {
    const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...listed('docs', '.md')];
    const links = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, to = '']) =>
        posix.join(posix.dirname(page), to),
      ),
    );
    const named = sources.flatMap((path) => read(path).match(/\bdocs\/[\w/-]+\.md\b/g) ?? []);
    expect(links.length).toBeGreaterThan(20);
    expect([...new Set([...links, ...named])].filter((to) => !existsSync(join(root, to)))).toEqual(
      [],
    );
  });

  /** Spans such as `broker/partition.ts: append → log/log.ts: append` and lone `file.ts`. */
  it('is there: files and functions that the architecture names', () => {
    const text = read('docs/ARCHITECTURE.md').replace(/\s+/g, ' ');
    const missing: string[] = [];
    let steps = 0;
    for (const [, span = ''] of text.matchAll(/`([^`]*\.ts\b[^`]*)`/g)) {
      let file = '';
      for (const step of span.split(' → ')) {
        const [, path, name] = /^(?:([\w./*-]+\.ts))?(?:: )?([#\w.]*)$/.exec(step) ?? [];
        file = path ?? file;
        const pattern = new RegExp(
          `(^|/)${file.replaceAll('*', '[^/]*').replace('NN', '\\d\\d')}$`,
        );
        const found = sources.filter((source) => pattern.test(source));
        const last = (name ?? '?').split('.').at(-1) ?? '';
        const hasIt = found.some((source) => read(source).includes(last));
        if (!/test\/\*\*/.test(file) && !file.includes('name.ts') && !hasIt) missing.push(step);
        steps++;
      }
    }
    expect(steps).toBeGreaterThan(100);
    expect(missing).toEqual([]);
  });
});
