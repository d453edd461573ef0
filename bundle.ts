import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';

/**
 * The project's JavaScript in few files, not written yet: the code of each, the sources in it and
 * what it imports. What is imported lazily stays in files of its own, so a process reads only what
 * it needs. Packages that are dependencies stay imports; of those for development, what the sources
 * import goes in. Neither minified nor mapped: with names and shapes kept, a stack trace can be
 * read; and constants stay constants, which V8 needs to fold them.
 */
export async function bundle(root: string): Promise<OutputChunk[]> {
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'optionalDependencies', Record<string, string>>;
  const sources = await rolldown({
    cwd: root,
    input: { index: 'index.ts', plugin: 'plugin.ts', 'cli/main': 'cli/main.ts' },
    external: Object.keys({ ...dependencies, ...optionalDependencies }),
    // Its modules for Node are CommonJS, of which nothing can be left out.
    resolve: { alias: { yaml: join(root, 'node_modules/yaml/browser/index.js') } },
    platform: 'node',
    transform: { target: 'node20.19' },
  });
  try {
    const { output } = await sources.generate({
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/[name]-[hash].js',
    });
    return output.filter((file) => file.type === 'chunk');
  } finally {
    await sources.close();
  }
}
