import { type Loaded, loadConfig, z } from '../config/index.js';
import { archivesOf, type SinkArchive, type SinksConfig } from '../sinks/index.js';
import type { Context } from './context.js';
import { type DemoConfig, demoSection } from './demo/index.js';
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

/** A whole file, and what its sinks archive, by the names of the sinks. */
export interface LoadedWhole extends Loaded<WholeConfig> {
  readonly archives: ReadonlyMap<string, SinkArchive>;
}

/** The schema of the whole file, put together from the parts' sections. */
export async function wholeSchema() {
  const [broker, agent, sinks] = await Promise.all(roleNames.map(loadRole));
  const section = (part: z.ZodType | undefined) => (part ?? z.unknown()).optional();
  return z.strictObject({
    ...machineFields,
    broker: section(broker?.section),
    kafka: section(agent?.kafka),
    agent: section(agent?.section),
    sinks: section(sinks?.section),
    demo: demoSection.optional(),
  });
}

/** Reads and checks a whole file, and what only shows when its sections are seen together. */
export async function loadWholeConfig(
  { system, environment }: Pick<Context, 'system' | 'environment'>,
  file: string,
): Promise<LoadedWhole> {
  const parsed = loadConfig({
    disk: system.disk,
    file,
    environment,
    schema: await wholeSchema(),
    adjust: (document) => overridden(document, {}),
  });
  // Each section has been parsed with its role's own schema.
  const config = parsed.config as WholeConfig;
  const loaded = { ...parsed, config, archives: archivesOf(config.sinks ?? {}) };
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
