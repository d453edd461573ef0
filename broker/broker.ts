import { join } from 'node:path';
import {
  awaitDirectoryLock,
  type DirectoryLock,
  detach,
  type System,
  type Timer,
} from '../system/index.js';
import { createRealSystem } from '../system/real/index.js';
import { adoptedTopics } from './adoption.js';
import { handlers } from './api/index.js';
import { allowAll } from './authorizer.js';
import { BrokerError } from './broker-error.js';
import { GroupCoordinator } from './group/index.js';
import { isOutOfDescriptors, toStorageError } from './log/index.js';
import { LogDirectory } from './log-directory.js';
import { ClusterMetadata, FileMetadataStore } from './metadata/index.js';
import { OffsetsTopic } from './offsets-topic.js';
import {
  type BrokerOptions,
  checkBrokerOptions,
  type PropertyValue,
  type TopicOptions,
} from './options.js';
import { Partitions } from './partitions.js';
import {
  type BrokerSettings,
  brokerPropertyProblems,
  brokerSettings,
  type Properties,
} from './properties/index.js';
import { Server } from './server.js';
import type { BrokerServices } from './services.js';
import { Topics } from './topics.js';

const DEFAULT_LISTENERS = [{ listen: { host: '127.0.0.1', port: 0 } }];
const DEFAULT_NODE_ID = 1;

/** What a broker reports of itself. */
export interface BrokerStatus {
  readonly topics: number;
  readonly partitions: number;
  /** Bytes of all logs on disk. */
  readonly logBytes: number;
  /** Of these, each topic's. */
  readonly topicBytes: Readonly<Record<string, number>>;
}

/** A Kafka broker in this process. */
export class Broker {
  private readonly timers = new Map<string, Timer>();
  /** The last run of each recurring work. */
  private readonly upkeep = new Map<string, Promise<void>>();
  private stopped: Promise<void> | undefined;

  private constructor(
    private readonly system: System,
    private readonly lock: DirectoryLock,
    private readonly directory: LogDirectory,
    private readonly services: BrokerServices,
    private readonly server: Server,
  ) {}

  /**
   * Starts a broker; resolves when it answers clients. Throws BrokerError, DirectoryLockError or
   * LogError; the message says what to do.
   */
  static async start(options: BrokerOptions, system: System = createRealSystem()): Promise<Broker> {
    checkBrokerOptions(options);
    const properties = textOf(options.properties ?? {});
    checkProperties(properties);
    const lock = await awaitDirectoryLock(system, options.dataDir, 'broker');
    try {
      return await Broker.startLocked(options, properties, system, lock);
    } catch (error) {
      lock.release();
      if (!isOutOfDescriptors(error)) throw error;
      throw toStorageError(error, `the broker cannot start in ${options.dataDir}`);
    }
  }

  private static async startLocked(
    options: BrokerOptions,
    properties: Properties,
    system: System,
    lock: DirectoryLock,
  ): Promise<Broker> {
    const { dataDir, nodeId = DEFAULT_NODE_ID } = options;
    const settings = brokerSettings(properties);
    const directory = new LogDirectory(system.disk, dataDir, system.log);
    const metadata = await openMetadata(options, system, directory, settings);
    const partitions = new Partitions(system, directory, metadata, nodeId, properties);
    try {
      await partitions.open();
    } catch (error) {
      await partitions.discard();
      throw error;
    }
    const topics = new Topics(metadata, partitions, settings, nodeId);
    const offsets = new OffsetsTopic(metadata, topics, partitions, settings);
    const groups = new GroupCoordinator(system, offsets, coordinatorSettings(settings));
    const services: BrokerServices = {
      ...{ system, nodeId, settings, properties, metadata, topics, partitions, groups },
      authorizer: allowAll,
    };
    const server = new Server(system, services, handlers);
    const broker = new Broker(system, lock, directory, services, server);
    try {
      for (const [name, wanted] of Object.entries(options.topics ?? {})) {
        await broker.provide(name, wanted);
      }
      detach(groups.load(), (error) => system.log.error('groups are not loaded', { error }));
      for (const listener of options.listeners ?? DEFAULT_LISTENERS) await server.listen(listener);
    } catch (error) {
      const tell = (why: unknown) => system.log.error('it did not stop in order', { error: why });
      await broker.stop().catch(tell);
      throw error;
    }
    broker.measure();
    broker.keepUp();
    return broker;
  }

  /** The first listener's port. */
  get port(): number {
    return this.server.address?.port ?? 0;
  }

  /** What the first listener advertises, as `host:port`. */
  get address(): string {
    const endpoint = this.server.endpoints[0];
    if (endpoint === undefined) return '';
    const { host, port } = endpoint;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  /** The id of the cluster, kept for the life of the data directory. */
  get clusterId(): string {
    return this.services.metadata.image.clusterId;
  }

  status(): BrokerStatus {
    const partitions = [...this.services.partitions];
    const topicBytes: Record<string, number> = {};
    for (const { id, sizeBytes } of partitions) {
      topicBytes[id.topic] = (topicBytes[id.topic] ?? 0) + sizeBytes;
    }
    return {
      topicBytes,
      topics: this.services.metadata.image.topics.size,
      partitions: partitions.length,
      logBytes: partitions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    };
  }

  /**
   * Stops in order: answers what has come in, closes connections and logs, so that the next start
   * needs no recovery. Idempotent.
   */
  stop(): Promise<void> {
    this.stopped ??= this.stopOnce();
    return this.stopped;
  }

  private async stopOnce(): Promise<void> {
    for (const timer of this.timers.values()) timer.cancel();
    this.services.groups.close();
    await this.server.stop();
    await Promise.all(this.upkeep.values());
    try {
      await this.services.partitions.close();
      this.directory.markClean();
    } finally {
      this.lock.release();
    }
  }

  private measure(): void {
    const gauge = (name: string, help: string, read: () => number) =>
      this.system.metrics.gauge(`logflume_broker_${name}`, help, {}, read);
    gauge('log_bytes', 'Bytes of all logs on disk.', () => this.status().logBytes);
    gauge('topics', 'Topics.', () => this.status().topics);
    gauge('partitions', 'Partitions.', () => this.status().partitions);
    const offline = 'Partitions whose log the disk failed; they are tried again.';
    gauge('offline_partitions', offline, () => this.services.partitions.offlineCount);
  }

  /** Retention and checkpoints, for as long as the broker runs. */
  private keepUp(): void {
    const { settings, partitions } = this.services;
    const { clock } = this.system;
    this.repeat('retention', settings.logRetentionCheckIntervalMs, () =>
      partitions.applyRetention(clock.now()),
    );
    this.repeat('checkpoints', settings.logFlushOffsetCheckpointIntervalMs, () =>
      partitions.writeCheckpoints(),
    );
  }

  private repeat(what: string, intervalMs: number, work: () => Promise<void>): void {
    const again = async () => {
      try {
        await work();
      } catch (error) {
        this.system.log.error(`${what} failed; it is tried again`, { error, intervalMs });
      }
      if (this.stopped === undefined) this.repeat(what, intervalMs, work);
    };
    const start = () => this.upkeep.set(what, again());
    this.timers.set(what, this.system.clock.after(intervalMs, start));
  }

  /** A topic of the configuration: created, grown or configured where that is needed. */
  private async provide(name: string, wanted: TopicOptions): Promise<void> {
    const { topics, metadata } = this.services;
    const { partitions = -1, replicationFactor = -1 } = wanted;
    const properties = textOf(wanted.properties ?? {});
    const existing = metadata.image.topics.get(name);
    if (existing === undefined) {
      await topics.create({ name, partitions, replicationFactor, assignments: [], properties });
      return;
    }
    if (partitions > existing.partitions.length) await topics.grow(name, partitions);
    const differs = Object.entries(properties).some(
      ([property, value]) => existing.properties[property] !== value,
    );
    if (differs) await topics.configure(name, (before) => ({ ...before, ...properties }));
  }
}

function textOf(properties: Readonly<Record<string, PropertyValue>>): Properties {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, String(value)]));
}

function checkProperties(properties: Properties): void {
  const problems = brokerPropertyProblems(properties);
  if (problems.length === 0) return;
  const sentences = problems.map(({ name, text }) => `the broker property ${name} ${text}`);
  throw new BrokerError('INVALID_PROPERTIES', sentences.join('\n'));
}

/** Opens the store, and makes sure that it and the directory belong together. */
async function openMetadata(
  { metadata: store, dataDir, nodeId = DEFAULT_NODE_ID }: BrokerOptions,
  system: System,
  directory: LogDirectory,
  settings: BrokerSettings,
): Promise<ClusterMetadata> {
  const { identity } = directory;
  if (identity !== undefined && identity.nodeId !== nodeId) {
    const text = `${dataDir} belongs to node ${identity.nodeId}, this broker is node ${nodeId}`;
    throw new BrokerError('WRONG_DIRECTORY', `${text}: set broker.node_id, or another data_dir`);
  }
  const metadata = await ClusterMetadata.open(
    store ?? FileMetadataStore.open(system.disk, join(dataDir, 'metadata.json')),
    system.random,
    { clusterId: identity?.clusterId, topics: () => adoptedTopics(directory, nodeId, settings) },
  );
  const { clusterId } = metadata.image;
  if (identity === undefined) {
    directory.identify({ clusterId, nodeId, directoryId: metadata.newId() });
  } else if (identity.clusterId !== clusterId) {
    const text = `${dataDir} belongs to the cluster ${identity.clusterId}, not to ${clusterId}`;
    throw new BrokerError('WRONG_DIRECTORY', `${text}: set another data_dir`);
  }
  if (!directory.clean) await renewLeadership(metadata, nodeId);
  return metadata;
}

/**
 * After an unclean stop records may be gone that clients have read: a new leader epoch lets them
 * notice (KIP-320).
 */
async function renewLeadership(metadata: ClusterMetadata, nodeId: number): Promise<void> {
  await metadata.changeAllTopics((topic) => ({
    ...topic,
    partitions: topic.partitions.map((partition) =>
      partition.leader === nodeId
        ? { ...partition, leaderEpoch: partition.leaderEpoch + 1 }
        : partition,
    ),
  }));
}

function coordinatorSettings(settings: BrokerSettings) {
  return {
    minSessionTimeoutMs: settings.groupSessionTimeoutMs.min,
    maxSessionTimeoutMs: settings.groupSessionTimeoutMs.max,
    maxSize: settings.groupMaxSize,
    initialRebalanceDelayMs: settings.groupInitialRebalanceDelayMs,
    offsetsRetentionMs: settings.offsetsRetentionMs,
    offsetsRetentionCheckIntervalMs: settings.offsetsRetentionCheckIntervalMs,
    offsetMetadataMaxBytes: settings.offsetMetadataMaxBytes,
  };
}
