import { join } from 'node:path';
import {
  jsonSchemaOf,
  pageExamples,
  referencePages,
  showConfig,
} from '../config/describe/index.js';
import { ConfigError } from '../config/index.js';
import type { OutputOptions } from './client-options.js';
import type { Context } from './context.js';
import { ExitCode } from './failure.js';
import { roleNames } from './role-model.js';
import {
  loadWholeConfig,
  NOTHING_TO_RUN,
  schemaOfFile,
  type WholeConfig,
  wholeSchema,
} from './whole-config.js';

/** Options of the `config` commands. */
export interface ConfigOptions {
  readonly config: string;
}

/** `config check`: throws the ConfigError that names every mistake. */
export async function check(
  context: Context,
  options: ConfigOptions & OutputOptions,
): Promise<number> {
  const { terminal } = context;
  const file = options.config;
  if (options.output === 'json') return checkAsJson(context, file);
  const roles = rolesOf((await loadWholeConfig(context, file)).config);
  const verdict =
    roles.length > 0 ? `good, with ${roles.join(', ')}` : `good, but it ${NOTHING_TO_RUN}`;
  terminal.say(`${file}: ${verdict}`);
  return ExitCode.done;
}

/** For editors and pipelines: the same, mistakes as data. */
async function checkAsJson(context: Context, file: string): Promise<number> {
  const { terminal } = context;
  try {
    const { config } = await loadWholeConfig(context, file);
    const report = { file, good: true, roles: rolesOf(config), problems: [] };
    await terminal.data(`${JSON.stringify(report)}\n`);
    return ExitCode.done;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // A file that cannot be read has no places.
    const whole = [{ line: 1, column: 1, text: error.message }];
    const problems = error.problems.length > 0 ? error.problems : whole;
    await terminal.data(`${JSON.stringify({ file, good: false, roles: [], problems })}\n`);
    return ExitCode.config;
  }
}

const rolesOf = (config: WholeConfig) => roleNames.filter((role) => config[role] !== undefined);

/** `config show`: the file with all defaults, secrets masked, as YAML or JSON on stdout. */
export async function show(
  context: Context,
  options: ConfigOptions & OutputOptions,
): Promise<number> {
  const { document, schema } = await loadWholeConfig(context, options.config);
  const format = options.output === 'json' ? 'json' : 'yaml';
  await context.terminal.data(showConfig(schema, document, format));
  return ExitCode.done;
}

/**
 * `config schema`: JSON Schema on stdout, or the reference pages into a directory. A file is read
 * for its plugins alone.
 */
export async function schema(
  context: Context,
  options: { readonly docs?: string; readonly config?: string },
): Promise<number> {
  const { system, terminal } = context;
  const { config: file } = options;
  const { schema: whole } = await (file === undefined
    ? wholeSchema()
    : schemaOfFile(context, file));
  if (options.docs === undefined) {
    const json = jsonSchemaOf(whole, 'The configuration file of logflume');
    await terminal.data(`${JSON.stringify(json, undefined, 2)}\n`);
    return ExitCode.done;
  }
  system.disk.makeDirectorySync(options.docs);
  const pages = referencePages(whole, pageExamples);
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
