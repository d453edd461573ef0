import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './process.js';

const main = join(import.meta.dirname, '../../dist/cli/main.js');

/** Our own command, as built in dist/. */
export function logflume(
  args: readonly string[],
  options: ConstructorParameters<typeof Program>[2] & { nodeOptions?: string[] } = {},
): Program {
  if (!existsSync(main)) throw new Error('dist/ is not built: npm run build');
  return new Program(process.execPath, [...(options.nodeOptions ?? []), main, ...args], options);
}

/** A folder of its own that is removed at the end. */
export function temporaryFolder(name: string): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `logflume-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes a YAML (JSON is YAML) and returns its path. */
export function writeConfig(directory: string, name: string, config: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(config, null, 2));
  return path;
}

/** Our broker as a process of its own on the given port. */
export async function startLogflumeBroker(
  directory: string,
  port: number,
  broker: Record<string, unknown> = {},
): Promise<{ bootstrap: string; program: Program; stop(): Promise<void> }> {
  const config = writeConfig(directory, 'broker.yaml', {
    data_dir: join(directory, 'data'),
    broker: { listeners: [{ listen: `127.0.0.1:${port}` }], ...broker },
  });
  const program = logflume(['broker', '-c', config]);
  await program.until(/broker is running/);
  const stop = async (): Promise<void> => void (await program.stop());
  return { bootstrap: `127.0.0.1:${port}`, program, stop };
}
