import { build } from 'esbuild';

/**
 * The project's JavaScript in few files, not written yet, and the account of what went where. What
 * is imported lazily stays in files of its own, so a process reads only what it needs; packages
 * stay imports. Neither minified nor mapped: with names and shapes kept, a stack trace can be read.
 */
export const bundle = (root: string) =>
  build({
    absWorkingDir: root,
    entryPoints: ['index.ts', 'cli/main.ts'],
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    metafile: true,
    write: false,
  });
