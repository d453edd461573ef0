import { join, relative } from 'node:path';
import type { AgentConfig, SourceComponent } from '../agent/index.js';
import { Admin } from '../client/index.js';
import { type Address, componentOf, type Finding, formatAddress } from '../config/index.js';
import type { ArchiveSite } from '../sinks/index.js';
import { refuseUnlessWritable, type System } from '../system/index.js';
import { words } from './failure.js';
import { roleNames } from './role-model.js';
import { telemetryPorts } from './telemetry-ports.js';
import type { LoadedWhole, WholeConfig } from './whole-config.js';

/** Looks at one thing that a start would need; changes nothing and never rejects. */
type Probe = Promise<readonly Finding[]>;

/** A look at everything that a start would need. */
export function probesOf(system: System, loaded: LoadedWhole, timeoutMs: number): Probe[] {
  const { config, archives } = loaded;
  const places = new Map([...archives.values()].map(({ place }) => [place.id, place]));
  const broker = config.broker as { listeners?: readonly { listen: Address }[] } | undefined;
  const roles = roleNames.filter((role) => config[role] !== undefined);
  return [
    ...roles.map((role) => folder(system, join(config.data_dir, role), `folder of the ${role}`)),
    ...[...places.values()].map((place) => archiveProbe(system, place)),
    ...(config.demo ? [folder(system, config.demo.directory, 'folder of the demo')] : []),
    ...sourceProbes(system, loaded),
    ...(broker?.listeners ?? []).map(({ listen }) => free(system, listen, 'broker')),
    ...telemetryPorts(config).map(({ role, listen }) => free(system, listen, `${role}, telemetry`)),
    ...[...topicsByBroker(loaded)].map(([address, topics]) =>
      answers(system, { address, topics: [...topics], timeoutMs }),
    ),
  ];
}

/** A folder that is made where it is missing. */
async function folder(system: System, path: string, what: string): Probe {
  try {
    refuseUnlessWritable(system, path);
    return [{ outcome: 'good', what: `${what}: ${path} can be written` }];
  } catch (error) {
    return [{ outcome: 'bad', what, why: words(error) }];
  }
}

async function archiveProbe(system: System, place: ArchiveSite['place']): Probe {
  const who = 'archive';
  try {
    const findings = await place.outlook(system);
    return findings.map((finding) => ({ ...finding, what: `${who}: ${finding.what}` }));
  } catch (error) {
    return [{ outcome: 'bad', what: who, why: words(error) }];
  }
}

function sourceProbes(system: System, loaded: LoadedWhole): Probe[] {
  return sourcesOf(loaded).map(async ({ name, options, component }): Probe => {
    const who = `source ${name}`;
    try {
      const findings = component.outlook?.(options, system) ?? [];
      const made = isMadeByDemo(loaded.config, component.reads?.(options) ?? []);
      if (made && findings.some(({ outcome }) => outcome !== 'good')) {
        return [{ outcome: 'good', what: `${who}: the demo makes what it reads` }];
      }
      return findings.map((finding) => ({ ...finding, what: `${who}: ${finding.what}` }));
    } catch (error) {
      return [{ outcome: 'bad', what: who, why: words(error) }];
    }
  });
}

interface NamedSource {
  readonly name: string;
  readonly options: AgentConfig['sources'][string];
  readonly component: SourceComponent;
}

function sourcesOf({ config, components }: LoadedWhole): NamedSource[] {
  const { sources = {} } = (config.agent ?? {}) as Partial<AgentConfig>;
  return Object.entries(sources).map(([name, options]) => {
    return { name, options, component: componentOf(components.sources, options) };
  });
}

/** The demo's writer makes its folders when it starts, and the agent finds them. */
function isMadeByDemo(config: WholeConfig, read: readonly string[]): boolean {
  const { logs, mails } = config.demo ?? {};
  const made = [logs?.directory, mails?.directory].filter((path) => path !== undefined);
  const isMade = (path: string) =>
    made.some((directory) => !relative(directory, path).startsWith('..'));
  return read.length > 0 && read.every(isMade);
}

async function free({ net }: System, listen: Address, who: string): Probe {
  const what = `${formatAddress(listen)} (${who})`;
  try {
    const listener = await net.listen(listen, (connection) => connection.destroy());
    await listener.close();
    return [{ outcome: 'good', what: `${what} is free to listen on` }];
  } catch (error) {
    return [{ outcome: 'bad', what, why: words(error) }];
  }
}

/** Each broker that agent and sinks would begin with, and the topics that it must have. */
function topicsByBroker(loaded: LoadedWhole): Map<string, Set<string>> {
  const { config } = loaded;
  const { kafka } = loaded.document as { readonly kafka?: { bootstrap?: readonly string[] } };
  const wanted = new Map<string, Set<string>>();
  const want = (bootstrap: readonly string[] | undefined, topics: readonly string[]) => {
    for (const address of bootstrap ?? []) {
      wanted.set(address, new Set([...(wanted.get(address) ?? []), ...topics]));
    }
  };
  // The broker of this file does not run yet, and makes its topics when it does.
  const shared = config.broker === undefined ? kafka?.bootstrap : undefined;
  const sinks = Object.values(config.sinks ?? {});
  for (const { component, options } of sourcesOf(loaded)) want(shared, component.topics(options));
  for (const sink of sinks) want(sink.kafka?.bootstrap ?? shared, sink.topics);
  return wanted;
}

async function answers(
  system: System,
  asked: { address: string; topics: readonly string[]; timeoutMs: number },
): Probe {
  const { address, topics, timeoutMs } = asked;
  const admin = new Admin(
    { bootstrap: [address], timeoutMs, clientId: 'logflume-config-test' },
    system,
  );
  try {
    const { brokers } = await admin.describeCluster();
    const there = new Set((await admin.listTopics()).map(({ name }) => name));
    const missing = topics.filter((topic) => !there.has(topic));
    const count = brokers.length === 1 ? '1 broker' : `${brokers.length} brokers`;
    return [
      { outcome: 'good', what: `${address} answers for a cluster of ${count}` },
      ...missing.map((topic): Finding => {
        const why = 'create it, unless its broker makes topics by itself';
        return { outcome: 'warning', what: `topic ${topic} is not there yet`, why };
      }),
    ];
  } catch (error) {
    return [{ outcome: 'bad', what: `the broker ${address}`, why: words(error) }];
  } finally {
    admin.close();
  }
}
