import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadWholeConfig, wholeSchema } from '../../cli/whole-config.js';
import { pageExamples, referencePages, showConfig } from '../../config/describe/index.js';
import {
  alternativesOf,
  elementOf,
  fieldsOf,
  isStrict,
  type Schema,
} from '../../config/introspect.js';
import { createRealSystem } from '../../system/real/index.js';

const root = join(import.meta.dirname, '../..');
const examples = join(root, 'config/examples');
const system = createRealSystem({ logLevel: 'silent' });

describe('the examples', () => {
  for (const name of readdirSync(examples)) {
    it(`${name} passes every check, and shows with all defaults what still passes`, async () => {
      const file = join(examples, name);
      const { config, document } = await loadWholeConfig({ system, environment: {} }, file);
      expect(config.agent ?? config.sinks).toBeDefined();
      const shown = Buffer.from(showConfig((await wholeSchema()).schema, document));
      const again = await loadWholeConfig(
        {
          system: { ...system, disk: { ...system.disk, readFileSync: () => shown } },
          environment: {},
        },
        'shown.yaml',
      );
      expect(again.config).toEqual(config);
    });
  }
});

describe('the reference', () => {
  it('in docs/components is what the schemas say (npm run docs writes it)', async () => {
    const directory = join(root, 'docs/components');
    const pages = referencePages((await wholeSchema()).schema, pageExamples);
    expect(readdirSync(directory).sort()).toEqual(pages.map(({ file }) => file).sort());
    for (const { file, content } of pages) {
      expect(readFileSync(join(directory, file), 'utf8'), file).toBe(content);
    }
  });

  it('has on each page an example that passes every check, and shows what the page is about', async () => {
    const directory = join(root, 'docs/components');
    for (const page of readdirSync(directory).filter((name) => name !== 'README.md')) {
      const text = readFileSync(join(directory, page), 'utf8');
      const example = /^```yaml\n(.*?)^```$/ms.exec(text)?.[1];
      expect(
        example,
        `${page} has an example: its component's, or config/describe/page-examples.ts`,
      ).toBeDefined();
      const bytes = Buffer.from(example ?? '');
      const { config } = await loadWholeConfig(
        {
          system: { ...system, disk: { ...system.disk, readFileSync: () => bytes } },
          environment: {},
        },
        page,
      );
      expect(config.agent ?? config.sinks ?? config.broker, page).toBeDefined();
      const [kind = '', name] = page.slice(0, -3).split('-');
      const shown = name === undefined ? new RegExp(`^${kind}:`, 'm') : `type: ${name}`;
      expect(example, page).toMatch(shown);
    }
  });

  it('no section swallows an unknown key', async () => {
    const loose: string[] = [];
    const walk = (schema: Schema, path: string): void => {
      if (!isStrict(schema)) loose.push(path);
      for (const [key, field] of Object.entries(fieldsOf(schema) ?? {})) {
        walk(field, `${path}.${key}`);
      }
      const element = elementOf(schema);
      if (element) walk(element.element, `${path}.*`);
      for (const option of alternativesOf(schema)?.options ?? []) walk(option, path);
    };
    walk((await wholeSchema()).schema, '');
    expect(loose).toEqual([]);
  });
});
