import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * The project's JavaScript in few files, not written yet, and the account of what went where. What
 * is imported lazily stays in files of its own, so a process reads only what it needs. Packages
 * that are dependencies stay imports; of those for development, what the sources import goes in.
 * Neither minified nor mapped: with names and shapes kept, a stack trace can be read.
 */
export function bundle(root: string) {
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'optionalDependencies', Record<string, string>>;
  return build({
    absWorkingDir: root,
    entryPoints: ['index.ts', 'cli/main.ts'],
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    external: Object.keys({ ...dependencies, ...optionalDependencies }),
    // Its modules for Node are CommonJS, of which nothing can be left out.
    alias: { yaml: join(root, 'node_modules/yaml/browser/index.js') },
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    metafile: true,
    write: false,
  });
}
