import { Admin, Consumer, type FetchedBatch, type TopicPartition } from '../client/index.js';
import { detach, type System, type Timer } from '../system/index.js';
import { ConsumerFeed } from './consumer-feed.js';
import type { Assignment, Sink } from './sink.js';
import type { PartitionWorker } from './worker.js';

const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_INTERVAL_MS = 3_000;
const TICK_MS = 250;
const RETRY_MS = 2_000;
/** How long the records of a topic that was replaced may take to arrive. */
const RETIRE_MS = 60_000;
/** How long a drain waits for partitions that this process has not got. */
const FOREIGN_PARTITIONS_MS = 5_000;
/** Fetched and not taken by a worker yet. */
const PREFETCH_BYTES = 16 * 1024 * 1024;

/** What the runner of one sink needs. */
export interface RunnerOptions {
  readonly system: System;
  readonly name: string;
  readonly clientId: string;
  readonly topics: readonly string[];
  readonly bootstrap: readonly string[];
  readonly instance: string;
  readonly sink: Sink;
}

/** How a partition stands. */
export interface PartitionStatus {
  readonly topic: string;
  readonly partition: number;
  /** Everything before it has arrived. */
  readonly doneTo: number;
  /** Everything before it has been read. */
  readonly readTo: number;
  readonly heldRecords: number;
  readonly heldBytes: number;
  /** What a person has to mend. */
  readonly blocked: string | undefined;
  /** Records that have not arrived yet; -1 before the first fetch. */
  readonly lag: number;
}

interface Held {
  readonly assignment: Assignment;
  readonly worker: PartitionWorker;
  readonly feed: ConsumerFeed;
}

/** One sink at work: a static member of its group, with a worker for each partition it has. */
export class SinkRunner {
  readonly #options: RunnerOptions;
  readonly #admin: Admin;
  readonly #held = new Map<string, Held>();
  /** Workers of topics that were replaced, and when each has finished what it holds. */
  readonly #retiring = new Map<Held, Promise<void>>();
  #consumer: Consumer | undefined;
  #timer: Timer | undefined;
  #isStopped = false;
  #wasAssigned = false;
  #waiting: (() => void)[] = [];

  constructor(options: RunnerOptions) {
    this.#options = options;
    const { system, bootstrap, clientId } = options;
    this.#admin = new Admin({ bootstrap, clientId }, system);
  }

  /** Begins to work; whether brokers and topics are there or not. */
  start(): void {
    this.#join();
    this.#tick();
  }

  /** Brings everything that is in the topics now to where it belongs; see `Sinks.drain`. */
  async drain(): Promise<void> {
    let ends: Map<string, number>;
    let workers: [string, Held][];
    do {
      ends = await this.#ends();
      await this.#untilHeld(ends.keys());
      workers = [...this.#held];
      await Promise.all(workers.map(([key, { worker }]) => worker.drain(ends.get(key) ?? 0)));
      // A worker whose partition was taken away meanwhile has not brought everything.
    } while (!this.#isStopped && workers.some(([key, held]) => this.#held.get(key) !== held));
    await Promise.all(this.#retiring.values());
  }

  /** Waits for the partitions that this process is to have: all that no other member has. */
  async #untilHeld(keys: Iterable<string>): Promise<void> {
    const { clock } = this.#options.system;
    const wanted = [...keys];
    let askAtMs = clock.monotonic() + FOREIGN_PARTITIONS_MS;
    while (!this.#isStopped) {
      const missing = wanted.filter((key) => !this.#held.has(key));
      if (missing.length === 0) return;
      if (this.#wasAssigned && clock.monotonic() > askAtMs) {
        const elsewhere = await this.#heldByOthers();
        if (missing.every((key) => elsewhere.has(key))) return;
        askAtMs = clock.monotonic() + FOREIGN_PARTITIONS_MS;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** What other members of the group have now; nothing where the broker does not tell. */
  async #heldByOthers(): Promise<Set<string>> {
    const { name, instance } = this.#options;
    const own = `${name}-${instance}`;
    const group = await this.#admin.describeGroup(`logflume-${name}`).catch(() => undefined);
    const others = group?.members.filter(({ groupInstanceId }) => groupInstanceId !== own) ?? [];
    return new Set(others.flatMap(({ assignment }) => assignment).map(keyOf));
  }

  /** Stops at once; what is held is taken up again by the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#wake();
    await Promise.all([...this.#retiring.keys()].map(close));
    await this.#closeWorkers();
    await this.#consumer?.close();
    this.#admin.close();
    await this.#options.sink.close();
  }

  status(): PartitionStatus[] {
    const ends = new Map<string, number>();
    for (const lag of this.#consumer?.lag() ?? []) {
      ends.set(keyOf(lag), lag.lag < 0 ? -1 : lag.position + lag.lag);
    }
    return [...this.#held].map(([key, { assignment, worker }]) => {
      const { topic, partition } = assignment;
      const { status } = worker;
      const end = ends.get(key) ?? -1;
      const lag = end < 0 ? -1 : Math.max(0, end - status.doneTo);
      return { topic, partition, ...status, lag };
    });
  }

  #join(): void {
    const { system, name, clientId, topics, bootstrap, instance } = this.#options;
    const consumer = new Consumer(
      {
        bootstrap,
        clientId,
        groupId: `logflume-${name}`,
        groupInstanceId: `${name}-${instance}`,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
        heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
        autoCommit: false,
        // Workers seek; where the topic lost what they ask for, they notice and say so.
        autoOffsetReset: 'earliest',
        isolationLevel: 'read_committed',
        prefetchBytes: Math.min(PREFETCH_BYTES, this.#options.sink.maxBytes),
      },
      system,
    );
    this.#consumer = consumer;
    consumer.on('brokerLost', ({ address, cause }) => {
      system.log.warn(`sink ${name}: the broker ${address} cannot be reached; trying again`, {
        error: cause.message,
      });
    });
    consumer.subscribe({
      topics,
      onAssign: (partitions) => this.#assign(consumer, partitions),
      onRevoke: () => this.#closeWorkers(),
    });
    const reading = this.#readFrom(consumer).catch((error) => this.#rejoin(consumer, error));
    detach(reading, (error) => {
      const { system, name } = this.#options;
      system.problems.raise(`sink ${name}`, `sink ${name} reads no more: restart it`, { error });
    });
  }

  async #readFrom(consumer: Consumer): Promise<void> {
    for await (const batch of consumer.batches()) {
      const held = this.#held.get(keyOf(batch));
      if (held === undefined) batch.release();
      else await this.#hand(consumer, held, batch);
    }
  }

  async #hand(consumer: Consumer, held: Held, batch: FetchedBatch): Promise<void> {
    const { topicId } = held.assignment;
    if (batch.topicId !== topicId) {
      // The topic was created anew under its name: another stream, from its beginning.
      this.#retire(held);
      batch.release();
      await this.#hold(consumer, { ...held.assignment, topicId: batch.topicId });
      return;
    }
    held.worker.take({
      fetchOffset: batch.firstOffset,
      nextOffset: batch.nextOffset,
      records: batch.cursor(),
      batches: batch.batches,
      release: () => batch.release(),
    });
    this.#keepWithinBounds();
  }

  /** The consumer ended with an error: another one takes its place. */
  async #rejoin(consumer: Consumer, error: unknown): Promise<void> {
    if (this.#isStopped) return;
    const { system, name } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    system.log.error(`sink ${name}: reading stopped, trying again: ${message}`);
    await this.#closeWorkers();
    await consumer.close();
    await system.clock.sleep(RETRY_MS);
    if (!this.#isStopped) this.#join();
  }

  async #assign(consumer: Consumer, partitions: readonly TopicPartition[]): Promise<void> {
    await this.#closeWorkers();
    consumer.pause();
    const cluster = (await this.#admin.describeCluster()).clusterId ?? 'unknown';
    for (const { topic, partition } of partitions) {
      if (this.#isStopped) return;
      const { topicId } = await this.#admin.describeTopic(topic);
      await this.#hold(consumer, { cluster, topic, topicId, partition });
    }
    this.#wasAssigned = true;
    this.#wake();
  }

  async #hold(consumer: Consumer, assignment: Assignment): Promise<void> {
    const { sink } = this.#options;
    const { topic, partition } = assignment;
    const { clock } = this.#options.system;
    const feedOptions = { clock, consumer, admin: this.#admin, topic, partition };
    for (const topicId of await sink.leftovers(assignment)) {
      const feed = new ConsumerFeed(feedOptions);
      const replaced = { ...assignment, topicId };
      const worker = sink.createWorker(replaced, feed);
      worker.start();
      this.#retire({ assignment: replaced, worker, feed });
    }
    const feed = new ConsumerFeed(feedOptions);
    const worker = sink.createWorker(assignment, feed);
    this.#held.set(keyOf(assignment), { assignment, worker, feed });
    worker.start();
  }

  /** What was read of a topic that is no longer there still goes where it belongs. */
  #retire(held: Held): void {
    const { worker, feed, assignment } = held;
    const { system } = this.#options;
    feed.retire();
    const work = async (): Promise<void> => {
      const late = new AbortController();
      const limit = system.clock.sleep(RETIRE_MS, late.signal);
      await Promise.race([worker.drain(0), limit]);
      late.abort();
      if (worker.status.heldRecords > 0) {
        const { topic, topicId } = assignment;
        system.log.error(
          `The last ${worker.status.heldRecords} records read of the topic ${topic} before it ` +
            `was created anew (id ${topicId}) did not arrive; they are kept and tried again later.`,
        );
      }
      await worker.close();
    };
    const finished = work().finally(() => this.#retiring.delete(held));
    this.#retiring.set(held, finished);
  }

  async #closeWorkers(): Promise<void> {
    const held = [...this.#held.values()];
    this.#held.clear();
    await Promise.all(held.map(close));
  }

  /** The end offsets of all topics that exist now, by partition. */
  async #ends(): Promise<Map<string, number>> {
    const { topics } = this.#options;
    const ends = new Map<string, number>();
    const known = new Set((await this.#admin.listTopics()).map(({ name }) => name));
    for (const topic of topics) {
      if (!known.has(topic)) continue;
      const { partitions } = await this.#admin.describeTopic(topic);
      const queries = partitions.map(({ partition }) => ({ topic, partition, timestamp: -1 }));
      for (const found of await this.#admin.listOffsets(queries)) {
        ends.set(keyOf(found), found.offset);
      }
    }
    return ends;
  }

  #tick(): void {
    const all = [...this.#held.values(), ...this.#retiring.keys()];
    const workers = all.map(({ worker }) => worker);
    for (const worker of workers) worker.tick();
    this.#wake();
    this.#keepWithinBounds();
    if (!this.#isStopped)
      this.#timer = this.#options.system.clock.after(TICK_MS, () => this.#tick());
  }

  /** Where the workers hold more than they may together, the one with the most gives it up. */
  #keepWithinBounds(): void {
    let bytes = 0;
    let largest: PartitionWorker | undefined;
    let largestBytes = 0;
    for (const { worker } of [...this.#held.values(), ...this.#retiring.keys()]) {
      const { heldBytes } = worker.status;
      bytes += heldBytes;
      if (heldBytes <= largestBytes) continue;
      largest = worker;
      largestBytes = heldBytes;
    }
    if (bytes > this.#options.sink.maxBytes) largest?.cut();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

async function close({ feed, worker }: Held): Promise<void> {
  const closed = worker.close();
  feed.close();
  await closed;
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
