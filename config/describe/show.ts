import { stringify } from 'yaml';
import {
  alternativesOf,
  chosenOption,
  elementOf,
  fieldsOf,
  type Schema,
  unwrap,
} from '../introspect.js';
import type { PrimitiveKind } from '../primitives.js';
import { type Address, formatAddress, formatDuration, formatSize } from '../units/index.js';
import { WebUrl } from '../web-url.js';
import { z } from '../zod.js';

/** A primitive's default as one would write it in the YAML; defaults may be stored parsed. */
export function writtenDefault(value: unknown, kind: PrimitiveKind | undefined): unknown {
  if (kind === 'duration' && typeof value === 'number') return formatDuration(value);
  if (kind === 'size' && typeof value === 'number') return formatSize(value);
  if (kind === 'address' && typeof value === 'object') return formatAddress(value as Address);
  return value;
}

function chosen(schema: Schema, value: unknown): Schema {
  const options = alternativesOf(schema)?.options ?? [];
  return (
    chosenOption(schema, value) ??
    options.find((option) => z.safeParse(option, value).success) ??
    options[0] ??
    schema
  );
}

function effective(schema: Schema, given: unknown): unknown {
  const { kind, defaultValue } = unwrap(schema);
  const value = given === undefined ? writtenDefault(defaultValue, kind) : given;
  if (value === undefined) return undefined;
  if (kind === 'secret') return '******';
  if (kind === 'url') return String(new WebUrl(String(value)));
  if (kind !== undefined) return value;
  if (alternativesOf(schema)) {
    const option = chosen(schema, value);
    return option === schema ? value : effective(option, value);
  }
  const fields = fieldsOf(schema);
  if (fields) {
    const members = value as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(fields)
        .map(([key, field]) => [key, effective(field, members[key])])
        .filter(([, member]) => member !== undefined),
    );
  }
  const element = elementOf(schema)?.element;
  if (element === undefined) return value;
  if (Array.isArray(value)) return value.map((item) => effective(element, item));
  return Object.fromEntries(
    Object.entries(value as object).map(([key, item]) => [key, effective(element, item)]),
  );
}

/**
 * A document that has passed `schema`, with every default filled in and every secret masked, as
 * YAML (or JSON) and in the YAML's own units.
 */
export function showConfig(
  schema: Schema,
  document: unknown,
  format: 'yaml' | 'json' = 'yaml',
): string {
  const shown = effective(schema, document);
  if (format === 'json') return `${JSON.stringify(shown)}\n`;
  return stringify(shown, { lineWidth: 100 });
}
