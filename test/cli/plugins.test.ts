import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { kindOf } from '../../cli/plugin-component.js';
import { withPlugins } from '../../cli/plugins.js';
import { readConfig } from '../../config/index.js';
import { commonFields } from '../../sinks/common-options.js';
import { createSimSystem } from '../../system/sim/index.js';
import { logflume } from '../peers/logflume.js';
import { folderWithPackage, writePage } from '../plugin-page.js';
import { run } from './run.js';

const root = folderWithPackage();
let at = '';

afterAll(() => root.remove());
beforeEach(() => {
  at = mkdtempSync(join(root.path, 'case-'));
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(at, name)), { recursive: true });
    writeFileSync(join(at, name), text);
  }
}

/** A file whose agent has one interceptor. */
const withInterceptor = (plugins: string, options: string) => `plugins: ${plugins}
kafka: { bootstrap: ["127.0.0.1:9092"] }
agent:
  sources:
    app: { type: file, include: [/x/*.log], topic: t, interceptors: [${options}] }
`;

const upper = (more = '') => `import { z } from 'zod';
export const interceptors = [{
  type: 'upper',
  schema: z.object({ word: z.string().default('x').describe('A word.') }).describe('Cries.'),
  create: () => ({}), ${more}
}];
`;

/** What is said of a file that names these plugins, without the path of the case. */
async function faults(plugins: string, files: Readonly<Record<string, string>>): Promise<string[]> {
  write({ ...files, 'a.yaml': `broker: {}\nplugins: ${plugins}\n` });
  const { code, said } = await run(['config', 'check', '-c', join(at, 'a.yaml')]);
  expect(code).toBe(78);
  return said.map((line) => line.replaceAll(`${at}/`, '').replace(/^logflume: /, ''));
}

const component = (text: string) => `import { z } from 'logflume/plugin';
const schema = z.object({});
const create = () => ({});
export const interceptors = [${text}];
`;

const exporting = (kind: string, text: string) => component(text).replace('interceptors', kind);

describe('plugins', () => {
  it('bring types whose options are checked, shown and described', async () => {
    const file = join(at, 'a.yaml');
    write({ 'upper.js': upper(), 'a.yaml': withInterceptor('[./upper.js]', '{ type: upper }') });
    expect(await run(['config', 'check', '-c', file])).toMatchObject({ code: 0 });
    expect((await run(['config', 'show', '-c', file])).data).toMatch(/type: upper\n +word: x\n/);
    const { data } = await run(['config', 'schema', '-c', file]);
    expect(data).toContain('"const":"upper"'.replace(':', ': '));
    expect(data).toContain('Cries.');
    await run(['config', 'schema', '-c', file, '--docs', join(at, 'pages')]);
    const wrong = withInterceptor('[./upper.js]', '{ type: upper, word: 7, loud: true }');
    write({ 'a.yaml': wrong });
    expect((await run(['config', 'check', '-c', file])).words).toMatch(
      /a\.yaml:5:\d+: .*word: must be text.*\n.*a\.yaml:5:\d+: .*unknown key "loud"/,
    );
  });

  it('may be packages, found from the YAML, which need not give anything to CommonJS', async () => {
    const exports = { '.': { import: './lib/index.js' } };
    write({
      'node_modules/cries/package.json': JSON.stringify({ name: 'cries', type: 'module', exports }),
      'node_modules/cries/lib/index.js': upper(),
      'a.yaml': withInterceptor('[cries]', '{ type: upper }'),
    });
    expect(await run(['config', 'check', '-c', join(at, 'a.yaml')])).toMatchObject({ code: 0 });
  });

  it('take the primitives of the package, whose secrets are masked', async () => {
    write({
      'a.js': `import { duration, secret, z } from 'logflume/plugin';
        const schema = z.object({ token: secret(), every: duration().prefault('1m') });
        export const interceptors = [{ type: 'p', schema, create: () => ({}) }];`,
      'a.yaml': withInterceptor('[./a.js]', '{ type: p, token: hunter2 }'),
    });
    const { data, code } = await run(['config', 'show', '-c', join(at, 'a.yaml')]);
    expect(code).toBe(0);
    expect(data).toContain('every: 1m');
    expect(data).not.toContain('hunter2');
  });

  it('keep the checks of their schema over several options', async () => {
    write({
      'a.js': `import { z } from 'zod';
        const schema = z.object({ a: z.int(), b: z.int() }).refine(({ a, b }) => a < b, {
          path: ['b'], error: 'must be more than a' });
        export const interceptors = [{ type: 'p', schema, create: () => ({}) }];`,
      'a.yaml': withInterceptor('[./a.js]', '{ type: p, a: 2, b: 1 }'),
    });
    const { words } = await run(['config', 'check', '-c', join(at, 'a.yaml')]);
    expect(words).toMatch(/a\.yaml:5:\d+: .*b: must be more than a/);
  });

  it('run in the program as it is packed', async () => {
    writePage(at);
    const program = logflume(['config', 'check', '-c', join(at, 'logflume.yaml')]);
    expect([await program.exited, program.stderr]).toEqual([
      0,
      `${join(at, 'logflume.yaml')}: good, with agent\n`,
    ]);
    const chat = logflume(['config', 'show', '-c', join(at, 'chat.yaml')]);
    expect(await chat.exited).toBe(0);
    expect(chat.stdout).toMatch(/user: logflume\n(.*\n)* +timeout: 30s/);
    write({ 'json-level.js': '\nexport const = 1;' });
    const refused = logflume(['agent', '-c', join(at, 'logflume.yaml')]);
    expect(await refused.exited).toBe(78);
    expect(refused.stderr).toMatch(
      /yaml:1:11: .*loaded: Unexpected.*; `node --check` shows where\n$/,
    );
  });

  it.each<[string, string, Record<string, string>, RegExp]>([
    ['is not there', '[./no.js]', {}, /^a\.yaml:2:11: plugins\.0: there is no file no\.js$/],
    [
      'is a directory',
      '[./lib]',
      { 'lib/index.js': '' },
      /name the file, such as \.\/lib\/index\.js$/,
    ],
    ['is no package', '[nothing-here]', {}, /there is no package nothing-here here: install it/],
    ['lacks its ./', '[a.js]', { 'a.js': upper() }, /the file beside this one is "\.\/a\.js"/],
    ['throws', '[./a.js]', { 'a.js': 'throw new Error("no moon")' }, /cannot be loaded: no moon$/],
    ['throws nothing', '[./a.js]', { 'a.js': 'throw undefined' }, /"\.\/a\.js" cannot be loaded/],
    ['is no program', '[./a.js]', { 'a.js': 'export const = 1;' }, /cannot be loaded: Unexpected/],
    [
      'misses what it imports',
      '[./a.js]',
      { 'a.js': 'import "./b.js"' },
      /loaded: Cannot find.*b\.js/,
    ],
    [
      'exports no list',
      '[./a.js]',
      { 'a.js': 'export const a = 1;' },
      /none of the lists sources, inter/,
    ],
    [
      'has a default',
      '[./a.js]',
      { 'a.js': 'export default []' },
      /a default export is not looked at/,
    ],
    [
      'has no list',
      '[./a.js]',
      { 'a.js': 'export const sinks = {}' },
      /exports sinks, which is no list/,
    ],
    [
      'has no item',
      '[./a.js]',
      { 'a.js': component('undefined') },
      /interceptors\[0\]: is no interceptor/,
    ],
    ['has no type', '[./a.js]', { 'a.js': component('{ schema, create }') }, /its type is missing/],
    [
      'has no name',
      '[./a.js]',
      { 'a.js': component('{ type: "A b", schema, create }') },
      /"A b" is no name/,
    ],
    [
      'has no schema',
      '[./a.js]',
      { 'a.js': component('{ type: "a", create }') },
      /object of zod 4/,
    ],
    [
      'has another schema',
      '[./a.js]',
      { 'a.js': component('{ type: "a", schema: z.string(), create }') },
      /object of zod 4/,
    ],
    [
      'has plain options',
      '[./a.js]',
      { 'a.js': component('{ type: "a", schema: {}, create }') },
      /object of zod 4/,
    ],
    [
      'asks for a type',
      '[./a.js]',
      { 'a.js': component('{ type: "a", schema: z.object({ type: z.string() }), create }') },
      /has an option type/,
    ],
    [
      'makes nothing',
      '[./a.js]',
      { 'a.js': component('{ type: "a", schema }') },
      /"a" has no function create$/,
    ],
    [
      'is ours',
      '[./a.js]',
      { 'a.js': component('{ type: "host", schema, create }') },
      /"host" is there already, from logflume/,
    ],
    [
      'is twice',
      '[./a.js]',
      { 'a.js': component('...[1, 2].map(() => ({ type: "a", schema, create }))') },
      /interceptors\[1\]: .*there already, from the plugin "\.\/a\.js"/,
    ],
    [
      'is no source',
      '[./a.js]',
      {
        'a.js': component('')
          .replace('interceptors', 'sources')
          .replace('[]', '[{ type: "a", schema, create }]'),
      },
      /has no function topics, largestRecord$/,
    ],
    [
      'asks for what all sinks have',
      '[./a.js]',
      {
        'a.js': exporting(
          'sinks',
          '{ type: "a", schema: z.object({ topics: z.string() }), create }',
        ),
      },
      /"a" has an option topics: every sink has that beside its own$/,
    ],
    [
      'asks for what all sources have',
      '[./a.js]',
      {
        'a.js': exporting(
          'sources',
          '{ type: "a", schema: z.object({ interceptors: z.string() }), create }',
        ),
      },
      /"a" has an option interceptors: every source has that beside its own$/,
    ],
    [
      'asks for what all destinations have',
      '[./a.js]',
      {
        'a.js': `import { deliverySink, z } from 'logflume/plugin';
          const schema = z.object({ batch: z.string() });
          export const sinks = [deliverySink({ type: 'a', schema, create: () => ({}) })];`,
      },
      /cannot be loaded: the schema of "a" has an option batch: all deliverySink types have/,
    ],
    [
      'is a format that needs options',
      '[./a.js]',
      {
        'a.js': exporting('formats', '{ type: "a", schema: z.object({ b: z.string() }), create }'),
      },
      /the schema of "a" must take \{\}: a format has no options$/,
    ],
    [
      'is a format that cannot be made',
      '[./a.js]',
      { 'a.js': exporting('formats', '{ type: "a", schema, create() { throw new Error("no") } }') },
      /formats\[0\]: "a" cannot be made: no$/,
    ],
    [
      'makes half a format',
      '[./a.js]',
      {
        'a.js': exporting(
          'formats',
          '{ type: "a", schema, create: () => ({ extension: "../x", write() {} }) }',
        ),
      },
      /what "a" makes must have extension \(.*\), isFilePerRecord \(true or false\)$/,
    ],
  ])('is refused where it %s', async (_, plugins, files, words) => {
    const said = await faults(plugins, files);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^a\.yaml:2:11: plugins\.0: /);
    expect(said[0]).toMatch(words);
  });

  it('are refused all at once, and by a role as by the check', async () => {
    const said = await faults('[./a.js, ./b.js]', { 'b.js': '' });
    expect(said.map((line) => line.slice(0, 15))).toEqual(['a.yaml:2:11: pl', 'a.yaml:2:19: pl']);
    const file = join(at, 'a.yaml');
    expect(await run(['broker', '-c', file])).toMatchObject({ code: 78 });
    write({ 'a.yaml': 'broker: {}\nplugins: ./a.js\n' });
    expect((await run(['config', 'check', '-c', file])).words).toMatch(/plugins: must be a list/);
    write({ 'a.yaml': `broker: {}\nplugins: [7, "\${UNSET}"]\n` });
    expect((await run(['config', 'check', '-c', file])).words).toMatch(/UNSET is not set/);
  });

  it.each([
    ['throws', '() => { throw new Error("kaput"); }', /a\.yaml: cannot be checked: kaput$/],
    ['is a promise', 'async () => true', /a\.yaml: cannot be checked: .*Promise/],
  ])('have a check that %s: nothing is started', async (_name, check, said) => {
    write({
      'a.js': `import { z } from 'zod';
        const schema = z.object({ a: z.string().refine(${check}) });
        export const interceptors = [{ type: 'p', schema, create: () => ({}) }];`,
      'a.yaml': withInterceptor('[./a.js]', '{ type: p, a: b }'),
    });
    const { code, words } = await run(['config', 'check', '-c', join(at, 'a.yaml')]);
    expect(code).toBe(78);
    expect(words.trim()).toMatch(said);
  });

  it.each([
    ['throws', 'throw new Error("no moon")', ': no moon'],
    ['gives nothing', '', ', gave nothing of use'],
    ['gives a promise', 'return Promise.resolve({})', ', gave a promise'],
  ])('whose store %s are named', async (_name, body, why) => {
    write({
      'a.js': exporting('stores', `{ type: 'p', schema, create, place() { ${body} } }`),
      'a.yaml': `plugins: [./a.js]
kafka: { bootstrap: ["127.0.0.1:9092"] }
sinks: { s: { type: archive, topics: [t], store: { type: p } } }
`,
    });
    const { code, words } = await run(['config', 'check', '-c', join(at, 'a.yaml')]);
    expect(code).toBe(78);
    expect(words).toContain(`place of the store "p", of the plugin "./a.js"${why}`);
  });

  it('are read once: what a getter gives is what was looked at', async () => {
    write({
      'a.js': `import { z } from 'zod';
        let reads = 0;
        const get = () => (reads++ === 0 ? 'p' : 'host');
        export const interceptors = [
          { get type() { return get(); }, schema: z.object({}), create: () => ({}) }];`,
      'a.yaml': withInterceptor('[./a.js]', '{ type: p }'),
    });
    expect(await run(['config', 'check', '-c', join(at, 'a.yaml')])).toMatchObject({ code: 0 });
  });

  it('that are never ready are a mistake after a minute', async () => {
    const sim = createSimSystem({ seed: 41 });
    const system = sim.process('agent');
    system.disk.replaceFileSync('/a.js', '');
    system.disk.replaceFileSync('/a.yaml', 'plugins: [./a.js]\n');
    system.processes.load = () => new Promise<never>(() => undefined);
    const read = readConfig({ disk: system.disk, file: '/a.yaml', environment: {} });
    const place = { file: '/a.yaml', read, builtIn: {} };
    const loaded = withPlugins(system, place);
    await expect(sim.run(loaded)).rejects.toThrow(
      '/a.yaml:1:11: plugins.0: "./a.js" cannot be loaded: it is not ready after 60 s',
    );
  });

  it('know the names of all options that sinks share', () => {
    expect(kindOf.sinks.shared).toEqual(Object.keys(commonFields));
  });
});
