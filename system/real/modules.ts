import Module from 'node:module';

type Exports = Readonly<Record<string, unknown>>;

/** As Node makes a CommonJS module out of text, which its types leave out. */
interface CompiledModule {
  exports: (name: string) => Promise<Exports>;
  _compile(text: string, file: string): void;
}

/**
 * Imports as a module that stood at `from` would. Only an import within that file is resolved
 * from there with all that Node knows of packages: `import.meta.resolve` takes no other place
 * without a flag, and `require.resolve` looks for what a package gives to CommonJS.
 */
export async function load(name: string, from: string): Promise<Exports> {
  const there = new Module(from) as unknown as CompiledModule;
  there._compile('module.exports = (name) => import(name);', from);
  return await there.exports(name);
}
