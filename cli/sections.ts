import {
  duration,
  formatAddress,
  parseAddress,
  readConfig,
  telemetrySection,
  z,
} from '../config/index.js';
import type { Context } from './context.js';
import { withPlugins } from './plugins.js';
import type { Role, RoleName } from './role-model.js';

/** What holds for the machine, whatever roles it runs. */
export const machineFields = {
  data_dir: z
    .string()
    .min(1)
    .default('./data')
    .describe('Where each role keeps its state, in a folder of its own; created where missing.'),
  drain_timeout: duration()
    .prefault('20s')
    .describe('How long a role may take to finish what is there when it is asked to stop.'),
  telemetry: telemetrySection.optional(),
  plugins: z
    .array(z.string().min(1))
    .optional()
    .describe(
      'ES modules that bring more types of sources, interceptors, sinks, stores and formats: ' +
        'paths (`./…`, from this file) or packages. See docs/plugins.md.',
    ),
};

/** What the command line overrides in the file. */
export interface Overrides {
  /** `kafka.bootstrap`. */
  readonly bootstrap?: string | undefined;
  /** The first listener of the broker. */
  readonly listen?: string | undefined;
  readonly telemetry?: string | undefined;
}

type Document = Readonly<Record<string, unknown>>;

/**
 * Where the broker of the same file tells clients to go; undefined where the file has none, or
 * where its port is known only once it runs.
 */
export function brokerAddressOf(document: Document): string | undefined {
  const broker = document.broker as
    | { listeners?: readonly { listen?: unknown; advertise?: unknown }[] }
    | undefined;
  if (typeof broker !== 'object' || broker === null) return undefined;
  const first = Array.isArray(broker.listeners) ? broker.listeners[0] : undefined;
  const address = first?.advertise ?? first?.listen ?? '127.0.0.1:9092';
  const parsed = typeof address === 'string' ? parseAddress(address) : undefined;
  return parsed === undefined || parsed.port === 0 ? undefined : formatAddress(parsed);
}

function withListen(broker: unknown, listen: string): unknown {
  const section = (broker ?? {}) as { listeners?: readonly object[] };
  const [first, ...others] = section.listeners ?? [];
  return { ...section, listeners: [{ ...first, listen }, ...others] };
}

/** The document as it is meant: with the command line's overrides and the default bootstrap. */
export function overridden(document: Document, overrides: Overrides): Record<string, unknown> {
  const result: Record<string, unknown> = { ...document };
  const bootstrap = overrides.bootstrap ?? (document.kafka ? undefined : brokerAddressOf(document));
  if (bootstrap !== undefined) {
    result.kafka = { ...(document.kafka as object | undefined), bootstrap: bootstrap.split(',') };
  }
  if (overrides.listen !== undefined) result.broker = withListen(result.broker, overrides.listen);
  if (overrides.telemetry !== undefined) result.telemetry = { listen: overrides.telemetry };
  return result;
}

/** The checked sections of one role; the other roles' sections are not looked at. */
export async function loadRoleConfig(
  { system, environment }: Pick<Context, 'system' | 'environment'>,
  role: Role,
  file: string,
  overrides: Overrides,
) {
  const ignored = z.unknown().optional();
  const others: Record<RoleName | 'kafka' | 'demo', z.ZodType> = {
    broker: ignored,
    agent: ignored,
    sinks: ignored,
    kafka: role.kafka ?? ignored,
    demo: ignored,
  };
  const read = readConfig({ disk: system.disk, file, environment });
  const components = await withPlugins(system, { file, read, builtIn: role.components });
  const section = role.section(components);
  const schema = z.strictObject({ ...machineFields, ...others, [role.name]: section });
  const loaded = read.check(schema, (document) => overridden(document, overrides));
  const config = loaded.config as z.output<z.ZodObject<typeof machineFields>> & {
    readonly kafka: unknown;
  };
  const { [role.name]: checked } = loaded.config as Record<string, unknown>;
  return { ...config, section: checked, components };
}
