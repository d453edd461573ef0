import { type Loaded, type ReadConfig, readConfig, z } from '../config/index.js';
import { archivesOf, type SinkArchive, type SinksConfig } from '../sinks/index.js';
import { type Components, together } from './components.js';
import type { Context } from './context.js';
import { type DemoConfig, demoSection } from './demo/index.js';
import { withPlugins } from './plugins.js';
import { roleNames } from './role-model.js';
import { loadRole } from './roles.js';
import { machineFields, overridden } from './sections.js';

/** Everything a file may say, checked. Sections that it does not have are undefined. */
export interface WholeConfig extends z.output<z.ZodObject<typeof machineFields>> {
  readonly broker?: unknown;
  readonly kafka?: unknown;
  readonly agent?: unknown;
  readonly sinks?: SinksConfig | undefined;
  readonly demo?: DemoConfig | undefined;
}

/** What a whole file consists of. */
type Whole = Awaited<ReturnType<typeof schemaWith>>;

/** The schema of a file without plugins, put together from the parts' sections. */
export function wholeSchema(): Promise<Whole> {
  return schemaWith(async (builtIn) => builtIn);
}

/** The schema of a file, with what its plugins add. */
export async function schemaOfFile(
  { system, environment }: Pick<Context, 'system' | 'environment'>,
  file: string,
): Promise<Whole & { readonly read: ReadConfig }> {
  const read = readConfig({ disk: system.disk, file, environment });
  const whole = await schemaWith((builtIn) => withPlugins(system, { file, read, builtIn }));
  return { ...whole, read };
}

async function schemaWith(add: (builtIn: Components) => Promise<Components>) {
  const [broker, agent, sinks] = await Promise.all([
    loadRole('broker'),
    loadRole('agent'),
    loadRole('sinks'),
  ]);
  const components = await add(together(agent.components, sinks.components));
  const schema = z.strictObject({
    ...machineFields,
    broker: broker.section(components).optional(),
    kafka: (agent.kafka ?? z.unknown()).optional(),
    agent: agent.section(components).optional(),
    sinks: sinks.section(components).optional(),
    demo: demoSection.optional(),
  });
  return { schema, components };
}

/** A whole file, checked; what it was checked with; and what its sinks archive, by their names. */
export interface LoadedWhole extends Loaded<WholeConfig>, Whole {
  readonly archives: ReadonlyMap<string, SinkArchive>;
}

/** Reads and checks a whole file, and what only shows when its sections are seen together. */
export async function loadWholeConfig(
  context: Pick<Context, 'system' | 'environment'>,
  file: string,
): Promise<LoadedWhole> {
  const { read, ...whole } = await schemaOfFile(context, file);
  const parsed = read.check(whole.schema, (document) => overridden(document, {}));
  // Each section has been parsed with its role's own schema.
  const config = parsed.config as WholeConfig;
  const archives = archivesOf(config.sinks ?? {}, whole.components);
  const loaded: LoadedWhole = { ...parsed, ...whole, config, archives };
  const problems = contradictions(loaded);
  if (problems.length > 0) loaded.fail(problems);
  return loaded;
}

/** What is said of a file that names no role. */
export const NOTHING_TO_RUN = 'names nothing to run: add a broker:, agent: or sinks: section';

/** Throws the ConfigError of a file that names no role. */
export function refuseWithoutRole({ config, fail }: Loaded<WholeConfig>): void {
  if (roleNames.some((role) => config[role] !== undefined)) return;
  fail([{ path: [], text: NOTHING_TO_RUN }]);
}

function contradictions({ config, document, archives }: LoadedWhole) {
  const { kafka } = document as { readonly kafka?: unknown };
  const problems: { path: string[]; text: string }[] = [];
  const client = config.agent !== undefined ? 'agent' : 'sinks';
  const named = kafka !== undefined || config.broker !== undefined;
  if (config[client] !== undefined && !named) {
    problems.push({
      path: [client],
      text: 'needs a broker: name it in kafka.bootstrap, or add a broker: section',
    });
  }
  for (const part of ['logs', 'mails'] as const) {
    const name = config.demo?.[part]?.sink;
    if (name === undefined) continue;
    const archive = archives.get(name);
    const fits = archive?.format === (part === 'logs' ? 'lines' : 'eml');
    if (fits && (part === 'mails' || archive.filePer === 'key')) continue;
    const wanted = part === 'logs' ? 'format lines and file_per key' : 'format eml';
    problems.push({
      path: ['demo', part, 'sink'],
      text: `must name an archive sink with ${wanted}; "${name}" is none`,
    });
  }
  return problems;
}
