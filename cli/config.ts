import { join } from 'node:path';
import { jsonSchemaOf, referencePages, showConfig } from '../config/describe/index.js';
import type { Context } from './context.js';
import { ExitCode } from './failure.js';
import { roleNames } from './role-model.js';
import { loadWholeConfig, NOTHING_TO_RUN, wholeSchema } from './whole-config.js';

/** Options of the `config` commands. */
export interface ConfigOptions {
  readonly config: string;
}

/** `config check`: throws the ConfigError that names every mistake. */
export async function check(context: Context, options: ConfigOptions): Promise<number> {
  const { config } = await loadWholeConfig(context, options.config);
  const roles = roleNames.filter((role) => config[role]);
  const verdict =
    roles.length > 0 ? `good, with ${roles.join(', ')}` : `good, but it ${NOTHING_TO_RUN}`;
  context.terminal.say(`${options.config}: ${verdict}`);
  return ExitCode.done;
}

/** `config show`: the file with all defaults, secrets masked, as YAML on stdout. */
export async function show(context: Context, options: ConfigOptions): Promise<number> {
  const { document } = await loadWholeConfig(context, options.config);
  await context.terminal.data(showConfig(await wholeSchema(), document));
  return ExitCode.done;
}

/** `config schema`: JSON Schema on stdout, or the reference pages into a directory. */
export async function schema(
  { system, terminal }: Context,
  options: { readonly docs?: string },
): Promise<number> {
  const whole = await wholeSchema();
  if (options.docs === undefined) {
    const json = jsonSchemaOf(whole, 'The configuration file of logflume');
    await terminal.data(`${JSON.stringify(json, undefined, 2)}\n`);
    return ExitCode.done;
  }
  system.disk.makeDirectorySync(options.docs);
  const pages = referencePages(whole);
  for (const page of pages) {
    system.disk.replaceFileSync(join(options.docs, page.file), page.content);
  }
  const names = new Set(pages.map((page) => page.file));
  for (const name of system.disk.listSync(options.docs)) {
    if (!names.has(name)) system.disk.removeSync(join(options.docs, name));
  }
  terminal.say(`${pages.length} pages written to ${options.docs}`);
  return ExitCode.done;
}
