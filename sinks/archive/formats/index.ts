import { eml } from './eml.js';
import type { Format, FormatComponent } from './format.js';
import { jsonl } from './jsonl.js';
import { lines } from './lines.js';

export type { Format, FormatComponent } from './format.js';

/** Every type of format. */
export const formats: readonly FormatComponent[] = [lines, jsonl, eml];

/** Formats by the name that the configuration and claims have for them. */
export type Formats = ReadonlyMap<string, Format>;

/** Makes each of these formats. */
export function madeOf(components: readonly FormatComponent[]): Formats {
  return new Map(
    components.map((component) => {
      const { type, schema } = component;
      return [type, component.create(schema.parse({}), {})];
    }),
  );
}
