import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundle } from './bundle.js';

/** Writes dist/ anew but for the declarations, which tsc keeps; a faulty source leaves the old. */
const root = import.meta.dirname;
const dist = join(root, 'dist');
const chunks = await bundle(root);
mkdirSync(dist, { recursive: true });
for (const name of readdirSync(dist)) {
  if (name !== 'types') rmSync(join(dist, name), { recursive: true });
}
const write = (name: string, text: string) => {
  const path = join(dist, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
};
for (const { fileName, code } of chunks) write(fileName, code);

// Whose code is in there has its licence beside it.
const packages = chunks.flatMap(({ moduleIds }) =>
  moduleIds.flatMap((path) => {
    const [, name] = /node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(path) ?? [];
    return name ?? [];
  }),
);
for (const name of new Set(packages)) {
  const licence = readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8');
  write(join('licenses', `${name}.txt`), licence);
}
