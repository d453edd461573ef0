import { readdirSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../bundle.js';
import { freePort } from '../peers/apache-kafka.js';
import { logflume, temporaryFolder, writeConfig } from '../peers/logflume.js';

const root = join(import.meta.dirname, '../..');

/** Each file of dist/ by its name: the sources in it, and what it imports. */
let chunks: ReadonlyMap<string, Awaited<ReturnType<typeof bundle>>[number]>;
beforeAll(async () => {
  chunks = new Map((await bundle(root)).map((chunk) => [chunk.fileName, chunk]));
});

const inSources = (path: string) => relative(root, path).replaceAll('\\', '/');

/** The sources and packages that these modules load at once, by the files they are bundled into. */
function graphOf(...entries: string[]): string[] {
  const files = new Set<string>();
  const found = new Set<string>();
  const walk = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    const { moduleIds = [], imports = [] } = chunks.get(file) ?? {};
    for (const path of moduleIds) if (isAbsolute(path)) found.add(inSources(path));
    for (const path of imports) {
      if (chunks.has(path)) walk(path);
      else found.add(path);
    }
  };
  for (const entry of entries) {
    const chunk = [...chunks.values()].find(
      ({ facadeModuleId }) => facadeModuleId && inSources(facadeModuleId) === entry,
    );
    if (chunk === undefined) throw new Error(`${entry} is not loaded by itself`);
    walk(chunk.fileName);
  }
  return [...found].sort();
}

/** What a role's process loads: the command line, and lazily its own modules. */
const graphOfRole = (role: string) => graphOf('cli/main.ts', 'cli/role.ts', `cli/role-${role}.ts`);

/** A package that stays an import; what is taken in has a path. */
const isPackage = (name: string) => !name.endsWith('.ts') && !/^node(_modules\/|:)/.test(name);

const within = (graph: readonly string[], ...folders: string[]) =>
  graph.filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)));

describe('the module graph', () => {
  it('the command line alone loads no role, no configuration and no package', () => {
    const graph = graphOf('cli/main.ts');
    expect(graph).toContain('cli/program.ts');
    expect(within(graph, 'agent', 'broker', 'client', 'sinks', 'protocol')).toEqual([]);
    expect(within(graph, 'config').filter((path) => !path.startsWith('config/units/'))).toEqual([]);
    expect(graph.filter(isPackage)).toEqual([]);
  });

  it.each(['topics', 'groups', 'consume', 'produce'])('`%s` loads the client only', (command) => {
    const graph = graphOf('cli/main.ts', `cli/${command}.ts`);
    expect(graph).toContain('client/cluster.ts');
    expect(within(graph, 'agent', 'broker', 'sinks')).toEqual([]);
    expect(graph).not.toContain('config/zod.ts');
  });

  it.each([
    ['broker', ['broker', 'cli', 'config', 'protocol', 'system']],
    ['agent', ['agent', 'cli', 'client', 'config', 'protocol', 'system']],
    ['sinks', ['cli', 'client', 'config', 'protocol', 'sinks', 'system']],
  ])('%s loads its own parts and none of the other roles', (role, parts) => {
    const graph = graphOfRole(role);
    const folders = graph.filter((path) => path.endsWith('.ts')).map((path) => path.split('/')[0]);
    expect([...new Set(folders)]).toEqual(parts);
    expect(within(graph, 'config/describe', 'cli/demo')).toEqual([]);
    expect(graph).not.toContain('plugin.ts');
    // An import of CommonJS costs twice what requiring it does.
    expect(graph.filter(isPackage)).toEqual([]);
  });

  it('the library loads neither the configuration nor a package by import', () => {
    const graph = graphOf('index.ts');
    expect(graph).toContain('client/producer/producer.ts');
    // But for what checks the options of a program.
    const checks = within(graph, 'config/options');
    expect(within(graph, 'cli', 'config')).toEqual(checks);
    expect(graph.filter(isPackage)).toEqual([]);
  });
});

/** The files that a process has loaded, by V8's own account of it; empty where it was killed. */
function loadedBy(coverage: string): string[] {
  const files = readdirSync(coverage).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(coverage, name), 'utf8'));
    return (result as { url: string }[]).map(({ url }) => url);
  });
  return files.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url));
}

it('a broker that runs has loaded these packages and no others', async () => {
  const folder = temporaryFolder('loaded');
  try {
    const config = writeConfig(folder.path, 'broker.yaml', {
      data_dir: join(folder.path, 'data'),
      broker: { listeners: [{ listen: `127.0.0.1:${await freePort()}` }] },
    });
    const coverage = join(folder.path, 'coverage');
    const program = logflume(['broker', '-c', config], {
      env: { NODE_V8_COVERAGE: coverage },
    });
    await program.until(/broker is running/);
    await program.stop();
    const packages = loadedBy(coverage).flatMap((path) => {
      const [, name] = /node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(path) ?? [];
      return name === undefined ? [] : [name.replace('\\', '/')];
    });
    expect([...new Set(packages)].sort()).toEqual(['@node-rs/crc32', 'commander']);
  } finally {
    folder.remove();
  }
});
