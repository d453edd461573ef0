import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const project = join(import.meta.dirname, '..');

/** The files that docs/plugins.md shows, by the name in their first line. */
function pageFiles(): ReadonlyMap<string, string> {
  const page = readFileSync(join(project, 'docs/plugins.md'), 'utf8');
  const blocks = [...page.matchAll(/^```(?:js|yaml)\n(?:\/\/|#) (\S+)\n(.*?)^```/gms)];
  return new Map(blocks.map(([, name = '', text = '']) => [name, text]));
}

/** A folder in which the package, as built in dist/, is installed, and zod beside it. */
export function folderWithPackage(): { readonly path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'logflume-plugins-')));
  mkdirSync(join(path, 'node_modules'));
  symlinkSync(project, join(path, 'node_modules/logflume'));
  symlinkSync(join(project, 'node_modules/zod'), join(path, 'node_modules/zod'));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

/** Writes the page's files there. */
export function writePage(directory: string): void {
  for (const [name, text] of pageFiles()) writeFileSync(join(directory, name), text);
}
