import { join } from 'node:path';
import { clientIdOf, type KafkaConfig } from '../client/section/index.js';
import { componentOf, made } from '../config/index.js';
import { awaitDirectoryLock, type DirectoryLock, type System } from '../system/index.js';
import { type SinkComponents, sinkComponents, sinksOf } from './components.js';
import { type PartitionStatus, SinkRunner } from './runner.js';
import type { SinkConfig, SinksConfig } from './schema.js';
import type { SinkComponent, SinkContext } from './sink.js';

/** What the sinks of a process are started with. */
export interface SinksOptions {
  /** The parsed `sinks:` section. */
  readonly config: SinksConfig;
  /** Those that the section was parsed with. */
  readonly components?: SinkComponents;
  /** The parsed `kafka:` section; a sink may name its own. */
  readonly kafka: Pick<KafkaConfig, 'bootstrap'> & Partial<KafkaConfig>;
  /** The sinks' own folder: their lock, spools and identities. */
  readonly dataDir: string;
  /** A person accepts that offsets which retention has removed are lost (`--accept-gap`). */
  readonly acceptGap?: boolean;
}

/** How a sink stands. */
export interface SinkStatus {
  readonly type: string;
  readonly group: string;
  /** What has arrived since the start. */
  readonly records: number;
  readonly bytes: number;
  /** Records that have not arrived yet, over all partitions this process has. */
  readonly lag: number;
  readonly partitions: readonly PartitionStatus[];
}

interface Running {
  readonly type: string;
  readonly runner: SinkRunner;
  readonly arrived: { records: number; bytes: number };
}

/** The sinks of one process. */
export class Sinks {
  readonly #system: System;
  readonly #lock: DirectoryLock;
  readonly #running = new Map<string, Running>();

  private constructor(system: System, lock: DirectoryLock) {
    this.#system = system;
    this.#lock = lock;
  }

  /**
   * Starts every sink; they look for brokers and topics for as long as it takes.
   * Throws DirectoryLockError where another process uses the folder.
   */
  static async start(system: System, options: SinksOptions): Promise<Sinks> {
    const sinks = new Sinks(system, await awaitDirectoryLock(system, options.dataDir, 'sinks'));
    try {
      const components = sinksOf(options.components ?? sinkComponents);
      for (const [name, config] of Object.entries(options.config)) {
        await sinks.#add(name, componentOf(components, config), config, options);
      }
    } catch (error) {
      await sinks.stop();
      throw error;
    }
    for (const { runner } of sinks.#running.values()) runner.start();
    return sinks;
  }

  /**
   * Brings everything that the topics hold now to where it belongs. False where that took longer
   * than `timeoutMs`; nothing is lost then, the next start goes on.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    const late = new AbortController();
    const limit = this.#system.clock.sleep(timeoutMs, late.signal).then(() => false);
    const runners = [...this.#running.values()].map(({ runner }) => runner.drain());
    const drained = Promise.all(runners).then(
      () => true,
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        this.#system.log.error(`draining the sinks failed: ${message}`);
        return false;
      },
    );
    const finished = await Promise.race([drained, limit]);
    late.abort();
    return finished;
  }

  /** Stops at once, gives the folder free. Nothing is lost: the next start goes on. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ runner }) => runner.stop()));
    this.#lock.release();
  }

  /** Plain data for people and /health, by the sink's name. */
  status(): Record<string, SinkStatus> {
    const status: Record<string, SinkStatus> = {};
    for (const [name, { type, runner, arrived }] of this.#running) {
      const partitions = runner.status();
      const lag = partitions.reduce((sum, partition) => sum + Math.max(0, partition.lag), 0);
      status[name] = { type, group: `logflume-${name}`, ...arrived, lag, partitions };
    }
    return status;
  }

  async #add(
    name: string,
    component: SinkComponent,
    config: SinkConfig,
    options: SinksOptions,
  ): Promise<void> {
    const system = this.#system;
    const directory = join(options.dataDir, name);
    const instance = await instanceOf(system, directory);
    const arrived = { records: 0, bytes: 0 };
    const counters = countersOf(system, name);
    const kafka = config.kafka ?? options.kafka;
    const { bootstrap } = kafka;
    const context: SinkContext = {
      system: { ...system, log: system.log.child({ sink: name }) },
      name,
      clientId: clientIdOf(kafka, name),
      bootstrap,
      from: config.from,
      directory,
      instance,
      acceptGap: options.acceptGap ?? false,
      onArrived({ records, bytes }) {
        arrived.records += records;
        arrived.bytes += bytes;
        counters.records.inc(records);
        counters.bytes.inc(bytes);
      },
    };
    const what = `the sink ${name} (${config.type})`;
    const sink = await made(what, () => component.create(config, context));
    const { topics } = config;
    const runner = new SinkRunner({ ...context, topics, sink });
    const { type } = config;
    this.#running.set(name, { type, runner, arrived });
    gaugesOf(system, name, runner);
  }
}

/** A random name, made at the first start: static membership and unfinished files go by it. */
async function instanceOf(system: System, directory: string): Promise<string> {
  const { disk, random } = system;
  const path = join(directory, 'instance');
  await disk.makeDirectory(directory);
  if ((await disk.stat(path)) !== undefined) {
    const known = (await disk.readFile(path)).toString().trim();
    if (/^[0-9a-f]{12}$/.test(known)) return known;
  }
  const instance = random.bytes(6).toString('hex');
  await disk.replaceFile(path, `${instance}\n`);
  return instance;
}

function countersOf({ metrics }: System, sink: string) {
  return {
    records: metrics.counter('logflume_sink_records_total', 'Records that have arrived.', { sink }),
    bytes: metrics.counter('logflume_sink_bytes_total', 'Bytes of content that have arrived.', {
      sink,
    }),
  };
}

function gaugesOf({ metrics }: System, sink: string, runner: SinkRunner): void {
  const sum = (of: (partition: PartitionStatus) => number) => () =>
    runner.status().reduce((total, partition) => total + of(partition), 0);
  const gauge = (name: string, help: string, of: (partition: PartitionStatus) => number) =>
    metrics.gauge(name, help, { sink }, sum(of));
  gauge('logflume_sink_lag_records', 'Records that have not arrived yet.', ({ lag }) =>
    Math.max(0, lag),
  );
  gauge('logflume_sink_held_bytes', 'Bytes read that have not arrived yet.', (partition) =>
    Number(partition.heldBytes),
  );
  gauge('logflume_sink_blocked_partitions', 'Partitions that wait for a person.', ({ blocked }) =>
    blocked === undefined ? 0 : 1,
  );
}
