import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundle } from './bundle.js';

/** Writes dist/ anew but for the declarations, which tsc keeps; a faulty source leaves the old. */
const dist = join(import.meta.dirname, 'dist');
const { outputFiles } = await bundle(import.meta.dirname);
mkdirSync(dist, { recursive: true });
for (const name of readdirSync(dist)) {
  if (name !== 'types') rmSync(join(dist, name), { recursive: true });
}
for (const { path, text } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
}
