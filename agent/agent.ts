import { join } from 'node:path';
import { Producer } from '../client/producer/index.js';
import { clientIdOf, type KafkaConfig } from '../client/section/index.js';
import { componentOf, made } from '../config/index.js';
import { awaitDirectoryLock, type DirectoryLock, type System } from '../system/index.js';
import { FailedRecords } from './failed-records.js';
import { createChain } from './interceptors/index.js';
import { Positions } from './positions.js';
import {
  type AgentComponents,
  type AgentConfig,
  agentComponents,
  maxRequestBytes,
} from './schema.js';
import type { Source, SourceContext, SourceStatus } from './sources/index.js';

/** What an agent is started with. */
export interface AgentOptions {
  /** The parsed `agent:` section. */
  readonly config: AgentConfig;
  /** The parsed `kafka:` section. */
  readonly kafka: Pick<KafkaConfig, 'bootstrap'> & Partial<KafkaConfig>;
  /** The agent's own folder: its lock and its positions. */
  readonly dataDir: string;
  /** Those that the section was checked against, where they are more than logflume's own. */
  readonly components?: AgentComponents;
}

/** What each source has done, by name. */
export interface AgentStatus {
  readonly sources: Readonly<Record<string, SourceStatus>>;
}

/** The agent: files and mails of this machine into topics. It retries for ever. */
export class Agent {
  readonly #system: System;
  readonly #lock: DirectoryLock;
  readonly #positions: Positions;
  readonly #producer: Producer;
  readonly #failedRecords: FailedRecords;
  readonly #sources: ReadonlyMap<string, Source>;
  #stopping: Promise<void> | undefined;

  private constructor(
    system: System,
    lock: DirectoryLock,
    positions: Positions,
    { config, kafka, dataDir, components = agentComponents }: AgentOptions,
  ) {
    this.#system = system;
    this.#lock = lock;
    this.#positions = positions;
    this.#producer = createProducer(system, config, kafka, maxRequestBytes(components, config));
    this.#failedRecords = new FailedRecords(system, this.#producer, {
      directory: join(dataDir, 'failed'),
      topic: config.dead_letter,
    });
    const maxOpenFiles = openFilesPerSource(system, components, config);
    const sources = new Map<string, Source>();
    for (const [name, options] of Object.entries(config.sources)) {
      const component = componentOf(components.sources, options);
      const sourceContext: SourceContext = {
        system,
        name,
        log: system.log.child({ source: name }),
        producer: this.#producer,
        failedRecords: this.#failedRecords,
        chain: createChain(components.interceptors, options.interceptors, { system, source: name }),
        positions: positions.of(name),
        maxOpenFiles,
        host: system.processes.hostname(),
      };
      const what = `the source ${name} (${options.type})`;
      const source = made(what, () => component.create(options, sourceContext));
      sources.set(name, source);
      reportLag(system, name, source);
    }
    this.#sources = sources;
  }

  /**
   * Starts every source. The broker need not be there yet.
   * Throws DirectoryLockError where another agent uses the folder, PositionsError where it cannot
   * be known how far the sources had come, ClientError for an unusable producer setting.
   */
  static async start(system: System, options: AgentOptions): Promise<Agent> {
    const lock = await awaitDirectoryLock(system, options.dataDir, 'agent');
    let agent: Agent | undefined;
    try {
      const positions = await Positions.open(system, options.dataDir);
      agent = new Agent(system, lock, positions, options);
      agent.#failedRecords.start();
      await Promise.all([...agent.#sources.values()].map((source) => source.start()));
      return agent;
    } catch (error) {
      const tell = (why: unknown) => system.log.error('it did not stop in order', { error: why });
      if (agent) await agent.stop().catch(tell);
      else lock.release();
      throw error;
    }
  }

  /**
   * Sends what is there now and waits until it is acknowledged and remembered. A record that was
   * set aside counts as sent: it is kept, and was said.
   * @returns false where that took longer than `timeoutMs`, or something could not be sent; the
   * log says what.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    const drained = Promise.all([...this.#sources.values()].map((source) => source.drain()));
    let timer: { cancel(): void } | undefined;
    const late = new Promise<false>((resolve) => {
      timer = this.#system.clock.after(timeoutMs, () => resolve(false));
    });
    try {
      const isInTime = await Promise.race([drained.then(() => true), late]);
      let isAllSent = true;
      for (const [name, source] of this.#sources) {
        for (const text of source.unsent()) {
          isAllSent = false;
          this.#system.log.error(`not drained: ${text}`, { source: name });
        }
      }
      return isInTime && isAllSent;
    } finally {
      timer?.cancel();
    }
  }

  /** Stops at once; what is not acknowledged is sent again after the next start. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  /** Plain data for people and for /health. */
  status(): AgentStatus {
    const entries = [...this.#sources].map(([name, source]) => [name, source.status()] as const);
    return { sources: Object.fromEntries(entries) };
  }

  async #close(): Promise<void> {
    try {
      await this.#failedRecords.stop();
      await Promise.all([...this.#sources.values()].map((source) => source.stop()));
      await this.#positions.close();
    } finally {
      await this.#producer.close({ timeoutMs: 0 });
      this.#lock.release();
    }
  }
}

/** Descriptors that are left for all but the sources' files: connections, libraries, telemetry. */
const reservedDescriptors = 128;

/** The share of each source that opens many of the files that the process may have open. */
function openFilesPerSource(
  { processes }: System,
  components: AgentComponents,
  { sources }: AgentConfig,
): number {
  const limit = processes.fileLimit();
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  const count = Object.values(sources).filter(
    (options) => componentOf(components.sources, options).opensManyFiles,
  ).length;
  const left = Math.max(limit - reservedDescriptors, limit / 2);
  return Math.max(1, Math.floor(left / Math.max(1, count)));
}

function createProducer(
  system: System,
  config: AgentConfig,
  kafka: AgentOptions['kafka'],
  maxRequestBytes: number,
): Producer {
  const { producer } = config;
  const created = new Producer(
    {
      bootstrap: kafka.bootstrap,
      clientId: clientIdOf(kafka, 'agent'),
      acks: producer.acks,
      compression: producer.compression,
      lingerMs: producer.linger,
      batchBytes: Math.min(producer.batch_size, producer.memory),
      maxMemoryBytes: producer.memory,
      maxRequestBytes,
      // The files are the buffer: a batch waits for the broker as long as it takes.
      deliveryTimeoutMs: Number.POSITIVE_INFINITY,
      waitsWhenRefused: true,
      // Every record has the time at which it was read.
      restampsWhenRefused: true,
    },
    system,
  );
  created.on('brokerLost', ({ address, cause }) => {
    system.log.warn(`the broker ${address} cannot be reached; trying again`, { error: cause });
  });
  created.on('recovered', ({ address }) => {
    system.log.info(`the broker ${address} answers again`);
  });
  created.on('stopped', ({ cause }) => {
    if (cause) system.log.error('the producer has stopped: nothing is sent', { error: cause });
  });
  return created;
}

function reportLag(system: System, name: string, source: Source): void {
  system.metrics.gauge(
    'logflume_agent_lag_bytes',
    'Bytes that are there and not acknowledged yet',
    { source: name },
    () => source.status().lagBytes,
  );
}
