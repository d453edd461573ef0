import { type Api, ErrorCode, FindCoordinator, Metadata } from '../protocol/index.js';
import { detach, type System, type Timer } from '../system/index.js';
import type { BackoffSettings } from './backoff.js';
import { type BrokerAddress, parseBrokerAddress } from './bootstrap.js';
import type { Connection, RequestOptions } from './connection/index.js';
import { ConnectionPool, formatBrokerAddress, type Lane } from './connection-pool.js';
import { assertNoError, BrokerError, ClientError, ClosedError } from './errors.js';
import { ClientEmitter } from './events.js';
import {
  type ClusterImage,
  emptyImage,
  mergeMetadata,
  type PartitionMetadata,
  type TopicMetadata,
} from './metadata.js';
import { bootstrapRule, checkValue } from './options/index.js';
import { type RetryOptions, retry } from './retry.js';

/** How a client finds and talks to its cluster. */
export interface ClusterOptions {
  /** `host:port` of some brokers; the others are learned from them. */
  readonly bootstrap: readonly string[];
  /** Default `logflume`. */
  readonly clientId?: string;
  /** Default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Time for one answer. Default 30 s. */
  readonly requestTimeoutMs?: number;
  /** Metadata is fetched anew after this time. Default 5 min. */
  readonly metadataMaxAgeMs?: number;
  /** Wait before a failed request or connection is tried again; it doubles. Default 100 ms. */
  readonly retryBackoffMs?: number;
  /** The longest such wait. Default 1 s. */
  readonly retryBackoffMaxMs?: number;
  /** A larger response closes its connection. Default 128 MiB. */
  readonly maxResponseBytes?: number;
}

/** What a client asks of the operating system. */
export type ClientSystem = Pick<System, 'net' | 'clock' | 'random' | 'log'>;

const defaultMetadataMaxAgeMs = 300_000;

/**
 * The brokers as one: finds leaders and coordinators, keeps connections, reconnects for ever.
 * Every method that asks makes one attempt where its name does not say otherwise; `retry` repeats.
 */
export class Cluster extends ClientEmitter {
  readonly backoff: BackoffSettings;
  readonly #system: ClientSystem;
  readonly #bootstrap: readonly BrokerAddress[];
  readonly #pool: ConnectionPool;
  readonly #maxAgeMs: number;
  /** Addresses that are lost and not yet recovered. */
  readonly #lost = new Set<string>();
  /** Topics somebody has asked for: all are refreshed together. */
  readonly #wanted = new Set<string>();
  readonly #coordinators = new Map<string, number>();
  #image: ClusterImage = emptyImage;
  #refreshing: Promise<void> | undefined;
  #refreshTimer: Timer | undefined;
  #everConnected = false;
  #closed = false;

  constructor(system: ClientSystem, options: ClusterOptions) {
    super(system.log);
    this.#system = system;
    checkValue('bootstrap', options.bootstrap, bootstrapRule);
    this.#bootstrap = options.bootstrap.map(parseBrokerAddress);
    if (this.#bootstrap.length === 0) {
      throw new ClientError('INVALID_ADDRESS', 'bootstrap names no broker', false);
    }
    this.#maxAgeMs = options.metadataMaxAgeMs ?? defaultMetadataMaxAgeMs;
    const { retryBackoffMs = 100, retryBackoffMaxMs = 1000 } = options;
    this.backoff = { baseMs: retryBackoffMs, maxMs: retryBackoffMaxMs };
    const { clientId = 'logflume', connectTimeoutMs, requestTimeoutMs, maxResponseBytes } = options;
    this.#pool = new ConnectionPool(
      system,
      {
        clientId,
        ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
        ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
        ...(maxResponseBytes !== undefined && { maxResponseBytes }),
      },
      this.backoff,
      {
        onConnected: (address) => this.#noteConnected(address),
        onLost: (address, cause) => this.#noteLost(address, cause),
      },
    );
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** What was last learned; a new object after each change. */
  get image(): ClusterImage {
    return this.#image;
  }

  /** The partition as last learned; undefined where it is not known. */
  partition(topic: string, partition: number): PartitionMetadata | undefined {
    return this.#image.topics.get(topic)?.partitions[partition];
  }

  /**
   * Resolves with a topic's metadata once the broker knows it, from the cache where possible;
   * asks for it to be created where `create` is set and the broker allows it.
   * Rejects with BrokerError UNKNOWN_TOPIC_OR_PARTITION or, in the end, GaveUpError.
   */
  topic(name: string, options: RetryOptions & { create?: boolean } = {}): Promise<TopicMetadata> {
    return this.retry(`topic ${name}`, options, async () => {
      const known = this.#image.topics.get(name);
      if (known && known.errorCode === ErrorCode.NONE) return known;
      await this.refresh([name], options.create === true);
      const fresh = this.#image.topics.get(name);
      assertNoError(fresh?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `topic ${name}`);
      // The code is NONE, so the topic is there.
      return fresh as TopicMetadata;
    });
  }

  /**
   * Fetches metadata of all topics asked for so far, and of these. One attempt on every broker
   * known, then on the bootstrap list; callers that come together share it.
   */
  async refresh(topics: readonly string[] = [], create = false): Promise<void> {
    const isNews = create || topics.some((topic) => !this.#wanted.has(topic));
    for (const topic of topics) this.#wanted.add(topic);
    if (isNews) await this.#refreshing?.catch(() => {});
    if (create) return this.#fetchMetadata(topics, true);
    this.#refreshing ??= this.#fetchMetadata([...this.#wanted], false).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Metadata of all topics of the cluster. */
  async refreshAll(): Promise<void> {
    await this.#refreshing?.catch(() => {});
    await this.#fetchMetadata(null, false);
  }

  /** Stops keeping a topic fresh. */
  forget(topic: string): void {
    this.#wanted.delete(topic);
  }

  /**
   * The connection to a broker by its id. One attempt; rejects with ConnectError, or with
   * BrokerError BROKER_NOT_AVAILABLE (look at fresh metadata) where the id is not known.
   */
  connection(nodeId: number, lane: Lane): Promise<Connection> {
    const node = this.#image.nodes.get(nodeId);
    if (node) return this.#pool.get(node, lane);
    return Promise.reject(new UnknownNodeError(nodeId));
  }

  /** The open connection to a broker, where there is one. */
  currentConnection(nodeId: number, lane: Lane): Connection | undefined {
    const node = this.#image.nodes.get(nodeId);
    return node && this.#pool.current(node, lane);
  }

  /** A connection to any broker: known ones first, then the bootstrap list. */
  async anyConnection(): Promise<Connection> {
    const candidates = this.#candidates();
    const open = candidates.find((address) => this.#pool.current(address, 'control'));
    if (open) return this.#pool.get(open, 'control');
    let failure: unknown;
    for (const address of candidates) {
      try {
        return await this.#pool.get(address, 'control');
      } catch (error) {
        failure = error;
        if (this.#closed) break;
      }
    }
    throw failure;
  }

  /** Each address once. */
  #candidates(): BrokerAddress[] {
    const addresses = [...this.#image.nodes.values(), ...this.#bootstrap];
    return [...new Map(addresses.map((each) => [formatBrokerAddress(each), each])).values()];
  }

  /** Asks a broker by its id, on the control lane. */
  async ask<Q, P, QI, PI>(
    nodeId: number,
    api: Api<Q, P, QI, PI>,
    body: QI,
    options?: RequestOptions,
  ): Promise<P> {
    const connection = await this.connection(nodeId, 'control');
    return connection.request(api, body, options);
  }

  /** Asks any broker. */
  async askAny<Q, P, QI, PI>(
    api: Api<Q, P, QI, PI>,
    body: QI,
    options?: RequestOptions,
  ): Promise<P> {
    const connection = await this.anyConnection();
    return connection.request(api, body, options);
  }

  /** The connection to the coordinator of a group, looked up where it is not known. */
  async coordinator(group: string, lane: Lane = 'group'): Promise<Connection> {
    const known = this.#coordinators.get(group);
    const nodeId = known ?? (await this.#findCoordinator(group));
    this.#coordinators.set(group, nodeId);
    try {
      return await this.connection(nodeId, lane);
    } catch (error) {
      this.#coordinators.delete(group);
      throw error;
    }
  }

  /** The coordinator said that it is not, or its connection broke: it is looked up anew. */
  forgetCoordinator(group: string): void {
    this.#coordinators.delete(group);
  }

  /** Repeats `attempt` while it fails retriably and this cluster is open. */
  retry<T>(what: string, options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
    return retry(this.#system, this.backoff, what, options, async () => {
      if (this.#closed) throw new ClosedError('the client');
      return attempt();
    });
  }

  /** Ends all connections; what waits fails with ClosedError. Idempotent. */
  close(cause?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#refreshTimer?.cancel();
    this.#pool.close(new ClosedError('the client', cause));
    this.announce('stopped', cause === undefined ? {} : { cause });
  }

  async #fetchMetadata(topics: readonly string[] | null, create: boolean): Promise<void> {
    const connection = await this.anyConnection();
    const version = connection.versionOf(Metadata);
    // Version 0 has no null: there an empty list asks for all topics.
    const named = topics?.map((name) => ({ name })) ?? (version === 0 ? [] : null);
    const response = await connection.request(Metadata, {
      topics: named,
      allowAutoTopicCreation: create,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    this.#image = mergeMetadata(this.#image, response);
    this.#pool.retain(new Set(this.#candidates().map(formatBrokerAddress)));
    this.#scheduleRefresh();
  }

  #scheduleRefresh(): void {
    this.#refreshTimer?.cancel();
    if (this.#closed) return;
    this.#refreshTimer = this.#system.clock.after(this.#maxAgeMs, () => {
      detach(this.refresh(), () => this.#scheduleRefresh());
    });
  }

  async #findCoordinator(group: string): Promise<number> {
    const what = `coordinator of group ${group}`;
    const response = await this.askAny(FindCoordinator, {
      key: group,
      keyType: 0,
      coordinatorKeys: [group],
    });
    const found = response.coordinators[0] ?? response;
    assertNoError(found.errorCode, what, found.errorMessage);
    if (!this.#image.nodes.has(found.nodeId)) await this.refresh();
    return found.nodeId;
  }

  #noteConnected(address: string): void {
    if (!this.#everConnected) {
      this.#everConnected = true;
      this.announce('connected', { address });
    }
    if (this.#lost.delete(address)) this.announce('recovered', { address });
  }

  #noteLost(address: string, cause: Error): void {
    if (this.#lost.has(address)) return;
    this.#lost.add(address);
    this.announce('brokerLost', { address, cause });
  }
}

/** The cluster does not name a broker with this id (any more); metadata must be fetched. */
class UnknownNodeError extends BrokerError {
  constructor(nodeId: number) {
    super(ErrorCode.LEADER_NOT_AVAILABLE, `broker ${nodeId}`, 'the cluster does not name it');
  }
}
