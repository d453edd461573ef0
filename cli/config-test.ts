import { join } from 'node:path';
import { type Address, formatAddress } from '../config/index.js';
import type { System } from '../system/index.js';
import type { ConfigOptions } from './config.js';
import type { Context } from './context.js';
import { ExitCode, words } from './failure.js';
import { roleNames } from './role-model.js';
import { loadWholeConfig, type WholeConfig } from './whole-config.js';

const CONNECT_MS = 5_000;

/** One thing that a start would need. */
interface Probe {
  readonly what: string;
  run(): Promise<unknown>;
}

/** `config test`: tries what a start would need, and starts nothing. */
export async function test(context: Context, options: ConfigOptions): Promise<number> {
  const { terminal, system } = context;
  const { config, document } = await loadWholeConfig(context, options.config);
  let faults = 0;
  for (const probe of probesOf(system, config, document as Record<string, unknown>)) {
    try {
      await probe.run();
      terminal.say(`${terminal.paint('green', 'good')}  ${probe.what}`);
    } catch (error) {
      faults++;
      terminal.say(`${terminal.paint('red', 'bad')}   ${probe.what}: ${words(error)}`);
    }
  }
  return faults === 0 ? ExitCode.done : ExitCode.failed;
}

function probesOf(
  system: System,
  config: WholeConfig,
  document: Readonly<Record<string, unknown>>,
): Probe[] {
  const roots = Object.values(
    (config.sinks ?? {}) as Record<string, { store?: { root?: string } }>,
  );
  const directories = [
    ...roleNames.filter((role) => config[role]).map((role) => join(config.data_dir, role)),
    ...roots.flatMap((sink) => sink.store?.root ?? []),
    ...(config.demo ? [config.demo.directory] : []),
  ];
  const probes = directories.map((path) => writable(system, path));
  const broker = config.broker as { listeners?: readonly { listen: Address }[] } | undefined;
  for (const { listen } of broker?.listeners ?? []) probes.push(free(system, listen));
  if (config.telemetry) probes.push(free(system, config.telemetry.listen));
  if (broker === undefined) {
    const kafka = document.kafka as { bootstrap?: readonly string[] } | undefined;
    for (const address of kafka?.bootstrap ?? []) probes.push(reachable(system, address));
  }
  return probes;
}

function writable({ disk }: System, path: string): Probe {
  return {
    what: `${path} can be written`,
    async run() {
      disk.makeDirectorySync(path);
      const file = join(path, '.logflume-test');
      disk.replaceFileSync(file, '');
      disk.removeSync(file);
    },
  };
}

function free({ net }: System, listen: Address): Probe {
  return {
    what: `${formatAddress(listen)} is free to listen on`,
    async run() {
      const listener = await net.listen(listen, (connection) => connection.destroy());
      await listener.close();
    },
  };
}

function reachable({ net }: System, address: string): Probe {
  return {
    what: `${address} answers`,
    async run() {
      const at = address.lastIndexOf(':');
      const host = address.slice(0, at).replace(/^\[|\]$/g, '');
      const port = Number(address.slice(at + 1));
      const connection = await net.connect({ host, port, timeoutMs: CONNECT_MS });
      connection.handle({ onData() {}, onDrain() {}, onClose() {} });
      connection.destroy();
    },
  };
}
