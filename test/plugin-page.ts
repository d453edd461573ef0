import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files that docs/plugins.md shows, by the name in their first line. */
export function pageFiles(): ReadonlyMap<string, string> {
  const page = readFileSync(join(import.meta.dirname, '../docs/plugins.md'), 'utf8');
  const blocks = [...page.matchAll(/^```(?:js|yaml)\n(?:\/\/|#) (\S+)\n(.*?)^```/gms)];
  return new Map(blocks.map(([, name = '', text = '']) => [name, text]));
}
