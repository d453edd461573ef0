import type { z } from 'zod';
import { type PrimitiveKind, primitiveKinds } from './primitives.js';
import type { Path } from './source.js';
import { z as runtime } from './zod.js';

/** A zod schema seen from outside. */
export type Schema = z.core.$ZodType;

/** What stands around a schema: whether it may be left out, its default, and its words. */
export interface Unwrapped {
  readonly schema: Schema;
  readonly optional: boolean;
  /** As one would write it in the YAML, where there is one. */
  readonly defaultValue: unknown;
  readonly description: string | undefined;
  readonly kind: PrimitiveKind | undefined;
}

function definition(schema: Schema): z.core.$ZodTypes['_zod']['def'] {
  return (schema as z.core.$ZodTypes)._zod.def;
}

/** Takes optional, default, pipe and the like off a schema. */
export function unwrap(schema: Schema): Unwrapped {
  let current = schema;
  let optional = false;
  let defaultValue: unknown;
  let description: string | undefined;
  let kind: PrimitiveKind | undefined;
  for (;;) {
    description ??= runtime.globalRegistry.get(current)?.description;
    kind ??= primitiveKinds.get(current)?.kind;
    const def = definition(current);
    switch (def.type) {
      case 'default':
      case 'prefault':
        defaultValue ??= def.defaultValue;
        optional = true;
        current = def.innerType;
        break;
      case 'optional':
      case 'catch':
        optional = true;
        current = def.innerType;
        break;
      case 'nullable':
      case 'readonly':
      case 'nonoptional':
        current = def.innerType;
        break;
      case 'pipe':
        current = def.in;
        break;
      case 'lazy':
        current = def.getter();
        break;
      default:
        return { schema: current, optional, defaultValue, description, kind };
    }
  }
}

/** The fields of an object schema; undefined for anything else. */
export function fieldsOf(schema: Schema): Readonly<Record<string, Schema>> | undefined {
  const def = definition(unwrap(schema).schema);
  return def.type === 'object' ? def.shape : undefined;
}

/** Whether a schema refuses unknown keys (`z.object` would drop them silently). */
export function isStrict(schema: Schema): boolean {
  const def = definition(unwrap(schema).schema);
  if (def.type !== 'object') return true;
  return def.catchall !== undefined && definition(def.catchall).type === 'never';
}

/** The element schema of a list, or the value schema of a mapping with free keys. */
export function elementOf(
  schema: Schema,
): { readonly of: 'list' | 'mapping'; readonly element: Schema } | undefined {
  const def = definition(unwrap(schema).schema);
  if (def.type === 'array') return { of: 'list', element: def.element };
  if (def.type === 'record') return { of: 'mapping', element: def.valueType };
  return undefined;
}

/** The alternatives of a union and, where one key decides, its name. */
export function alternativesOf(
  schema: Schema,
): { readonly options: readonly Schema[]; readonly discriminator: string | undefined } | undefined {
  const def = definition(unwrap(schema).schema);
  if (def.type !== 'union') return undefined;
  const discriminator = (def as Partial<z.core.$ZodDiscriminatedUnionDef>).discriminator;
  return { options: def.options, discriminator };
}

/** The allowed values of an enum or literal. */
export function valuesOf(schema: Schema): readonly string[] | undefined {
  const def = definition(unwrap(schema).schema);
  if (def.type === 'enum') return Object.values(def.entries).map(String);
  return def.type === 'literal' ? def.values.map(String) : undefined;
}

/** zod's name of the bare type: `string`, `number`, `int`, `boolean`, `object` … */
export function typeOf(schema: Schema): string {
  const def = definition(unwrap(schema).schema);
  const isInteger = def.type === 'number' && 'format' in def && def.format === 'safeint';
  return isInteger ? 'int' : def.type;
}

/** The alternative of a union that `value` chose with its discriminator. */
export function chosenOption(schema: Schema, value: unknown): Schema | undefined {
  const union = alternativesOf(schema);
  if (union?.discriminator === undefined) return undefined;
  const chosen = (value as Record<string, unknown> | null | undefined)?.[union.discriminator];
  return union.options.find((option) => {
    const field = fieldsOf(option)?.[union.discriminator ?? ''];
    return field !== undefined && valuesOf(field)?.includes(String(chosen));
  });
}

function below(schema: Schema, key: PropertyKey, value: unknown): Schema | undefined {
  const option = chosenOption(schema, value);
  if (option) return below(option, key, value);
  const fields = fieldsOf(schema);
  if (fields) return fields[String(key)];
  const element = elementOf(schema);
  if (element) return element.element;
  for (const alternative of alternativesOf(schema)?.options ?? []) {
    const found = below(alternative, key, value);
    if (found) return found;
  }
  return undefined;
}

/** The keys that are known for the mapping at `path` of a document. */
export function knownKeys(root: Schema, path: Path, document: unknown): readonly string[] {
  let schema: Schema | undefined = root;
  let value = document;
  for (const key of path) {
    schema = schema && below(schema, key, value);
    value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  }
  if (!schema) return [];
  const options = alternativesOf(schema)?.options ?? [schema];
  const chosen = chosenOption(schema, value);
  return (chosen ? [chosen] : options).flatMap((option) => Object.keys(fieldsOf(option) ?? {}));
}
