import { type Loaded, loadConfig, z } from '../config/index.js';
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
  readonly sinks?: unknown;
  readonly demo?: DemoConfig | undefined;
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
): Promise<Loaded<WholeConfig>> {
  const loaded: Loaded<WholeConfig> = loadConfig({
    disk: system.disk,
    file,
    environment,
    schema: await wholeSchema(),
    adjust: (document) => overridden(document, {}),
  });
  const problems = contradictions(loaded.config, loaded.document as Record<string, unknown>);
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

interface ArchiveSection {
  readonly type?: string;
  readonly topics?: readonly string[];
  readonly format?: string;
  readonly file_per?: string;
  readonly store?: { readonly type?: string; readonly root?: string };
}

/** The sink that archives a part of the demo, as its section has it. */
export function demoSink(config: WholeConfig, name: string): ArchiveSection | undefined {
  return (config.sinks as Record<string, ArchiveSection> | undefined)?.[name];
}

function contradictions(config: WholeConfig, document: Readonly<Record<string, unknown>>) {
  const problems: { path: string[]; text: string }[] = [];
  const client = config.agent !== undefined ? 'agent' : 'sinks';
  const named = document.kafka !== undefined || config.broker !== undefined;
  if (config[client] !== undefined && !named) {
    problems.push({
      path: [client],
      text: 'needs a broker: name it in kafka.bootstrap, or add a broker: section',
    });
  }
  for (const part of ['logs', 'mails'] as const) {
    const name = config.demo?.[part]?.sink;
    if (name === undefined) continue;
    const sink = demoSink(config, name);
    const format = part === 'logs' ? 'lines' : 'eml';
    const fits = sink?.type === 'archive' && sink.format === format && sink.store?.type === 'local';
    if (fits && (part === 'mails' || sink.file_per === 'key')) continue;
    const wanted = part === 'logs' ? 'format lines and file_per key' : 'format eml';
    problems.push({
      path: ['demo', part, 'sink'],
      text: `must name an archive sink with a local store, ${wanted}; "${name}" is none`,
    });
  }
  return problems;
}
