import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { jsonSchemaOf, referencePages, showConfig } from '../../config/describe/index.js';
import { address, duration, oneOf, secret, size } from '../../config/index.js';
import { isStrict } from '../../config/introspect.js';

const interceptor = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('host') }).describe('Adds the host.'),
  z.strictObject({ type: z.literal('static'), value: z.string().describe('a | b') }),
]);

const root = z.strictObject({
  data_dir: z.string().default('./data').describe('Where state is kept.'),
  agent: z.strictObject({
    linger: duration().default(20).describe('How long a batch waits.'),
    batch: z.strictObject({ bytes: size().prefault('1MiB') }).prefault({}),
    password: secret().optional(),
    bootstrap: z.array(address()).prefault(['127.0.0.1:9092']),
    sources: z.record(
      z.string(),
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('file'), interceptors: z.array(interceptor).optional() }),
      ]),
    ),
  }),
  sinks: z.record(
    z.string(),
    z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('http'), url: z.string(), retry: z.enum(['a', 'b']) }),
    ]),
  ),
});

describe('reference', () => {
  it('writes a page for each section and component', () => {
    const pages = new Map(referencePages(root).map(({ file, content }) => [file, content]));
    expect([...pages.keys()].sort()).toEqual([
      'README.md',
      'agent.md',
      'interceptor-host.md',
      'interceptor-static.md',
      'sink-http.md',
      'sinks.md',
      'source-file.md',
    ]);
    expect(pages.get('agent.md')).toContain(
      '| `linger` | duration | `20ms` | How long a batch waits. |',
    );
    expect(pages.get('agent.md')).toContain('| `batch.bytes` | size | `1MiB` |  |');
    expect(pages.get('interceptor-static.md')).toContain('| `value` | text | required | a \\| b |');
    expect(pages.get('interceptor-host.md')).toContain('No options.');
    expect(pages.get('sink-http.md')).toContain('| `retry` | `a`, `b` | required |');
    expect(pages.get('README.md')).toContain('| `data_dir` | text | `./data` |');
  });

  it('gives editors a JSON Schema in the words of the YAML', () => {
    const schema = JSON.parse(JSON.stringify(jsonSchemaOf(root, 'logflume')));
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties.agent.properties.linger).toMatchObject({
      default: '20ms',
      description: 'How long a batch waits.',
    });
    expect(schema.properties.agent.properties.password.writeOnly).toBe(true);
    expect(schema.properties.sinks.additionalProperties.oneOf[0].properties.type.const).toBe(
      'http',
    );
  });

  it('keeps the example of a component to its page', () => {
    const component = { type: 'x', schema: z.object({}), create: () => ({}), example: 'a: 1' };
    const whole = z.strictObject({ sinks: z.record(z.string(), oneOf([component], {})) });
    expect(JSON.stringify(jsonSchemaOf(whole, 'logflume'))).not.toContain('example');
    expect(referencePages(whole).some(({ content }) => content.includes('a: 1'))).toBe(true);
  });

  it('shows what is in effect, secrets masked', () => {
    const shown = showConfig(root, {
      agent: { password: 'hunter2', sources: { a: { type: 'file' } } },
      sinks: { n: { type: 'http', url: 'x', retry: 'a' } },
    });
    expect(shown).toContain('data_dir: ./data');
    expect(shown).toContain('linger: 20ms');
    expect(shown).toContain('bytes: 1MiB');
    expect(shown).toMatch(/password: "?\*+/);
    expect(shown).not.toContain('hunter2');
  });

  it('knows schemas that would swallow unknown keys', () => {
    expect(isStrict(z.object({}))).toBe(false);
    expect(isStrict(z.strictObject({}).prefault({}))).toBe(true);
  });
});
