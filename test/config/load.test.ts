// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the YAML, not of TypeScript
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  address,
  ConfigError,
  duration,
  loadConfig,
  Secret,
  secret,
  size,
} from '../../config/index.js';

const component = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('file'), include: z.array(z.string()).min(1) }),
  z.strictObject({ type: z.literal('maildrop'), directory: z.string() }),
]);

const schema = z.strictObject({
  data_dir: z.string().default('./data'),
  broker: z
    .strictObject({
      listeners: z.array(z.strictObject({ listen: address() })),
      properties: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).prefault({}),
    })
    .optional(),
  agent: z
    .strictObject({
      linger: duration().prefault('20ms'),
      batch_size: size().prefault('1MiB'),
      acks: z.enum(['all', 'one', 'none']).default('all'),
      retries: z.number().int().min(0).optional(),
      password: secret().optional(),
      sources: z.record(z.string().regex(/^[a-z-]+$/), component).prefault({}),
    })
    .optional(),
});

function load(text: string, environment: Record<string, string> = {}) {
  const disk = { readFileSync: () => Buffer.from(text) };
  return loadConfig({ disk, file: 'my.yaml', environment, schema });
}

function mistakes(text: string, environment: Record<string, string> = {}): string[] {
  try {
    load(text, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message.split('\n');
  }
  throw new Error('nothing was found wrong');
}

describe('loadConfig', () => {
  it('fills in defaults and parses units', () => {
    const { config } = load('agent:\n  linger: 1s\n  password: 00987\n');
    expect(config.data_dir).toBe('./data');
    expect(config.agent).toMatchObject({ linger: 1000, batch_size: 1_048_576, acks: 'all' });
    expect(config.agent?.password).toBeInstanceOf(Secret);
    expect(config.agent?.password?.reveal()).toBe('00987');
    expect(`${config.agent?.password} ${JSON.stringify(config)}`).not.toContain('87');
  });

  it('takes an empty file for all defaults', () => {
    expect(load('').config).toEqual({ data_dir: './data' });
    expect(load('# nothing\n').config).toEqual({ data_dir: './data' });
  });

  it('names the nearest key that is known', () => {
    expect(mistakes('agent:\n  batch_sise: 1MiB\n')).toEqual([
      'my.yaml:2:3: agent: unknown key "batch_sise"; did you mean "batch_size"?',
    ]);
    expect(mistakes('data_dir: x\nbrokr: {}\n')).toEqual([
      'my.yaml:2:1: unknown key "brokr"; did you mean "broker"?',
    ]);
    expect(mistakes('agent:\n  sources:\n    a: { type: maildrop, directori: x }\n')).toEqual([
      'my.yaml:3:5: agent.sources.a.directory: is missing',
      'my.yaml:3:26: agent.sources.a: unknown key "directori"; did you mean "directory"?',
    ]);
  });

  it('names the nearest component type', () => {
    expect(mistakes('agent:\n  sources:\n    a:\n      type: fille\n')).toEqual([
      'my.yaml:4:13: agent.sources.a.type: unknown type "fille"; did you mean "file"?',
    ]);
    expect(mistakes('agent:\n  sources:\n    a: {}\n')).toEqual([
      'my.yaml:3:5: agent.sources.a.type: is missing; it must be file or maildrop',
    ]);
  });

  it('says what it wants and what it got', () => {
    expect(mistakes('agent: [1]\n')).toEqual(['my.yaml:1:8: agent: must be a mapping, not a list']);
    expect(mistakes('agent:\n')[0]).toContain('agent: is empty; give it a value, or {}');
    expect(mistakes('agent:\n  linger: 20\n')[0]).toBe(
      'my.yaml:2:11: agent.linger: must be a duration with a unit, such as 500ms, 10s, 5m, 1h or 7d',
    );
    expect(mistakes('agent:\n  batch_size: 3 parsecs\n')[0]).toContain('must be a size in bytes');
    expect(mistakes('agent:\n  batch_size: []\n')[0]).toContain('must be a size in bytes');
    expect(mistakes('agent:\n  acks: al\n')).toEqual([
      'my.yaml:2:9: agent.acks: must be all, one or none, not the text "al"; did you mean "all"?',
    ]);
    expect(mistakes('agent:\n  retries: -1\n')[0]).toContain('must be at least 0');
    expect(mistakes('agent:\n  retries: 1.5\n')[0]).toContain('must be a whole number');
    expect(mistakes('broker:\n  listeners:\n    - listen: 9092\n')[0]).toBe(
      'my.yaml:3:15: broker.listeners.0.listen: must be an address as host:port, such as 127.0.0.1:9092',
    );
    expect(mistakes('broker:\n  listeners: []\n  properties: { a: [] }\n')[0]).toBe(
      'my.yaml:3:20: broker.properties.a: must be text, a number or true or false, not a list',
    );
    expect(mistakes('agent:\n  sources: { A1: { type: maildrop, directory: x } }\n')[0]).toContain(
      'my.yaml:2:14: agent.sources.A1: this name',
    );
  });

  it('finds all mistakes at once, in the order of the file', () => {
    const found = mistakes(
      'agent:\n  linger: soon\n  nonsense: 1\n  password: ${NOPE}\nbroker: { listeners: x }\n',
    );
    expect(found.map((line) => line.split(':').slice(1, 3).join(':'))).toEqual([
      '2:11',
      '3:3',
      '4:13',
      '5:22',
    ]);
  });

  it('fills in variables, and names those that are not set', () => {
    const text = 'data_dir: "${ROOT}/x"\nagent:\n  retries: ${N:-3}\n  password: $${ROOT}\n';
    const { config } = load(text, { ROOT: '/srv', N: '' });
    expect(config.data_dir).toBe('/srv/x');
    expect(config.agent?.retries).toBe(3);
    expect(config.agent?.password?.reveal()).toBe('${ROOT}');
    expect(mistakes(text, { N: '4' })).toEqual([
      'my.yaml:1:11: data_dir: the environment variable ROOT is not set; set it, or give a default: ${ROOT:-…}',
    ]);
    const quoted = load('agent:\n  password: ${PW}', { PW: '0123' });
    expect(quoted.config.agent?.password?.reveal()).toBe('0123');
  });

  it('reports broken YAML with its place and nothing else', () => {
    expect(mistakes('agent:\n  linger: "1s\nbroker: 1\n')).toHaveLength(1);
    const [line] = mistakes('a: 1\na: 2\n');
    expect(line).toMatch(/^my\.yaml:2:1: is not YAML: /);
    expect(mistakes('a: { b: ${HOME} }')[0]).toContain('a ${VARIABLE} needs quotes');
  });

  it('follows anchors, and refuses those that never end', () => {
    const text =
      'agent:\n  sources:\n    a: &a { type: maildrop, directory: x }\n    b: *a\n    c: *zz\n';
    expect(mistakes(text)[0]).toContain('my.yaml:5');
    expect(mistakes('agent: &a\n  sources: { x: *a }\n')[0]).toContain('cannot be resolved');
  });

  it('names a file that cannot be read', () => {
    const disk = {
      readFileSync(): Buffer {
        throw Object.assign(new Error('x'), { code: 'ENOENT' });
      },
    };
    expect(() => loadConfig({ disk, file: 'gone.yaml', environment: {}, schema })).toThrow(
      'gone.yaml: there is no such file',
    );
  });

  it('places mistakes that are found later', () => {
    const loaded = load('agent:\n  acks: one\n');
    expect(() => loaded.fail([{ path: ['agent', 'acks'], text: 'is too few' }])).toThrow(
      'my.yaml:2:9: agent.acks: is too few',
    );
  });
});
