import { toJSONSchema } from 'zod';
import { unwrap } from '../introspect.js';
import type { PrimitiveKind } from '../primitives.js';
import type { z } from '../zod.js';
import { writtenDefault } from './show.js';

const PRIMITIVES: Readonly<Record<PrimitiveKind, Record<string, unknown>>> = {
  duration: {
    type: ['string', 'number'],
    pattern: '^\\s*\\d+(\\.\\d+)?\\s*([A-Za-z]+|)\\s*$|\\$\\{',
    examples: ['500ms', '10s', '1h', '7d'],
  },
  size: {
    type: ['string', 'number'],
    pattern: '^\\s*\\d+(\\.\\d+)?\\s*[A-Za-z]*\\s*$|\\$\\{',
    examples: ['512', '64KiB', '1MB'],
  },
  secret: { type: ['string', 'number'], writeOnly: true },
  address: { type: 'string', pattern: ':\\d+$|\\$\\{', examples: ['127.0.0.1:9092'] },
  url: { type: 'string', examples: ['https://collector:8080/in'] },
};

/** JSON Schema (2020-12) of what a person writes, for editors. */
export function jsonSchemaOf(schema: z.ZodType, title: string): Record<string, unknown> {
  const json = toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      const { kind, description, defaultValue } = unwrap(zodSchema);
      // A page shows it (`Component.example`); JSON Schema has no such keyword.
      delete jsonSchema.example;
      if (kind === undefined) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      Object.assign(jsonSchema, PRIMITIVES[kind]);
      if (description !== undefined) jsonSchema.description = description;
      const fallback = writtenDefault(defaultValue, kind);
      if (typeof fallback === 'string') jsonSchema.default = fallback;
    },
  });
  return { ...json, title };
}
