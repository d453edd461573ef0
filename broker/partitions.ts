import { detach, type System, type Timer } from '../system/index.js';
import type { LogDirectory, StoredPartition } from './log-directory.js';
import type { ClusterMetadata, MetadataImage, TopicState } from './metadata/index.js';
import { Partition, type TopicMeters } from './partition.js';
import { PartitionOpener } from './partition-opener.js';
import { type Properties, topicSettings } from './properties/index.js';
import { Shortages } from './shortages.js';
import { isInternal } from './topic-names.js';

/** Logs that are opened at once at start. */
const OPENED_AT_ONCE = 8;
/** How long after a failure the directory of a deleted partition is tried again. */
const RETIRE_AGAIN_MS = 10_000;
/** What is counted by topic, as long as there is the topic. */
const METERS = {
  recordsIn: { name: 'logflume_broker_topic_in_records_total', help: 'Records appended.' },
  bytesIn: {
    name: 'logflume_broker_topic_in_bytes_total',
    help: 'Bytes of record batches appended.',
  },
  bytesOut: {
    name: 'logflume_broker_topic_out_bytes_total',
    help: 'Bytes of record batches read by clients.',
  },
} satisfies Record<keyof TopicMeters, { name: string; help: string }>;

/** The partitions of this broker: follows the metadata's image, opens and closes their logs. */
export class Partitions {
  private readonly byTopicId = new Map<string, Partition[]>();
  /** Images are followed one after the other; resolves when the last one is. */
  private following: Promise<void> = Promise.resolve();
  /** Removals of deleted partitions that are still to come; the next start makes up for them. */
  private readonly removals = new Set<Timer>();
  private closed = false;
  private readonly opener: PartitionOpener;
  private readonly shortages: Shortages;

  constructor(
    private readonly system: System,
    private readonly directory: LogDirectory,
    private readonly metadata: ClusterMetadata,
    private readonly nodeId: number,
    private readonly brokerProperties: Properties,
  ) {
    this.shortages = new Shortages(system);
    this.opener = new PartitionOpener(system, directory, {
      claim: async ({ id: { topic, topicId, index }, settings }) => {
        const retired = await directory.claim(topic, index, topicId, this.uniqueId());
        if (retired !== undefined) this.removeLater(retired, settings.log.fileDeleteDelayMs);
      },
      saveCheckpoints: () => this.writeCheckpoints(),
      cameBack: async () => {
        await this.outgrowProducerIds();
        await this.outgrowEpochs();
      },
    });
  }

  /**
   * Opens every log and follows the metadata from now on. Metadata that know less than the logs
   * (they were lost, or are an old copy) catch up with them.
   */
  async open(): Promise<void> {
    await this.directory.removeRetired();
    await this.putStraysAside(this.metadata.image);
    this.metadata.onChange((image, before) => {
      this.following = this.following
        .then(() => this.follow(image, before))
        .catch((error: unknown) => {
          this.system.log.error('a change of the topics could not be carried out', { error });
        });
    });
    const all: (() => Promise<void>)[] = [];
    // The broker cannot do without its own topics: where descriptors are few they come first.
    const rank = ({ name }: TopicState) => (isInternal(name) ? 0 : 1);
    const topics = [...this.metadata.image.topics.values()].sort((a, b) => rank(a) - rank(b));
    for (const topic of topics) {
      this.byTopicId.set(topic.id, []);
      for (const index of topic.partitions.keys()) {
        all.push(() => this.openPartition(topic, index, isInternal(topic.name)));
      }
    }
    const failures: unknown[] = [];
    const worker = async () => {
      for (let next = all.shift(); next !== undefined; next = all.shift()) {
        await next().catch((error: unknown) => failures.push(error));
        if (failures.length > 0) return;
      }
    };
    await Promise.all(Array.from({ length: OPENED_AT_ONCE }, worker));
    if (failures.length > 0) throw failures[0];
    await this.outgrowProducerIds();
    await this.outgrowEpochs();
  }

  /** An id that a log remembers, handed out again, would make new records look like repeats. */
  private async outgrowProducerIds(): Promise<void> {
    const highest = Math.max(-1, ...[...this].map(({ highestProducerId }) => highestProducerId));
    if (!(await this.metadata.outgrowProducerId(highest))) return;
    const text = 'the logs know producer ids that the metadata do not: ids go on from a new place';
    this.system.log.warn(text, { highest });
  }

  /** Whether a log remembers an idempotent producer of this id. */
  knowProducer(producerId: number): boolean {
    for (const partition of this) if (partition.knowsProducer(producerId)) return true;
    return false;
  }

  /** Epochs of a log must not go back: clients and followers find out by them where to cut. */
  private async outgrowEpochs(): Promise<void> {
    const outgrown = (id: string, index: number, leaderEpoch: number) => {
      const latest = this.get(id, index)?.latestEpoch ?? -1;
      return latest > leaderEpoch ? latest + 1 : leaderEpoch;
    };
    await this.metadata.changeAllTopics((topic) => {
      const partitions = topic.partitions.map((state, index) => ({
        ...state,
        leaderEpoch: outgrown(topic.id, index, state.leaderEpoch),
      }));
      const same = partitions.every(
        ({ leaderEpoch }, index) => leaderEpoch === topic.partitions[index]?.leaderEpoch,
      );
      return same ? topic : { ...topic, partitions };
    });
    for (const topic of this.metadata.image.topics.values()) {
      for (const [index, { leaderEpoch }] of topic.partitions.entries()) {
        await this.get(topic.id, index)?.lead(leaderEpoch);
      }
    }
  }

  /** Resolves once all changes of the metadata up to now are carried out. */
  settled(): Promise<void> {
    return this.following;
  }

  /** A partition this broker leads; undefined where it does not (yet). */
  get(topicId: string, index: number): Partition | undefined {
    return this.byTopicId.get(topicId)?.[index];
  }

  *[Symbol.iterator](): Generator<Partition> {
    for (const partitions of this.byTopicId.values()) {
      for (const partition of partitions) if (partition !== undefined) yield partition;
    }
  }

  /** Creates the files of an internal topic's partition; one call at a time for each. */
  async createLog(partition: Partition): Promise<void> {
    if (!partition.hasLog) await this.opener.open(partition);
  }

  /** Partitions that the disk failed: they are refused to clients, and tried again. */
  get offlineCount(): number {
    let count = 0;
    for (const { isOffline } of this) if (isOffline) count++;
    return count;
  }

  /** Writes how far each log is durable, where it starts and ends. */
  async writeCheckpoints(): Promise<void> {
    const since = this.system.clock.monotonic();
    for (const partition of this) partition.syncSealed();
    await this.directory.writeCheckpoints(() => this.checkpoints());
    this.shortages.overcome(since);
  }

  private checkpoints() {
    return [...this].filter(({ hasLog }) => hasLog).map((partition) => partition.checkpoint());
  }

  /** Deletes what retention no longer wants; a log that fails does not keep the others from it. */
  async applyRetention(nowMs: number): Promise<void> {
    for (const partition of this) {
      try {
        await partition.applyRetention(nowMs);
      } catch (error) {
        const { name } = partition;
        this.system.log.error('retention failed; it is tried again', { partition: name, error });
      }
    }
  }

  /**
   * Closes every log and notes how far each is durable. Throws LogError where one was not closed
   * in order: then the directory must not be marked clean.
   */
  async close(): Promise<void> {
    this.closed = true;
    await this.following;
    for (const timer of this.removals) timer.cancel();
    const failures: unknown[] = [];
    for (const partition of this) {
      await this.opener.release(partition);
      try {
        await partition.close();
      } catch (error) {
        const { name } = partition;
        this.system.log.error('a log was not closed in order', { partition: name, error });
        failures.push(error);
      }
    }
    await this.directory.writeCheckpoints(() => this.checkpoints());
    if (failures.length > 0) throw failures[0];
  }

  /** The start failed: lets go of every log, and opens none again. Writes nothing. */
  async discard(): Promise<void> {
    this.closed = true;
    for (const partition of this) {
      await this.opener.release(partition);
      await partition.abandon();
    }
  }

  private async follow(image: MetadataImage, before: MetadataImage): Promise<void> {
    for (const topic of before.topics.values()) {
      if (!image.topicsById.has(topic.id)) await this.retire(topic);
    }
    for (const topic of image.topics.values()) {
      if (before.topicsById.get(topic.id) === topic) continue;
      const partitions = this.byTopicId.get(topic.id) ?? [];
      this.byTopicId.set(topic.id, partitions);
      const settings = topicSettings(topic.properties, this.brokerProperties);
      for (const partition of partitions) partition.configure(settings);
      for (let index = partitions.length; index < topic.partitions.length; index++) {
        await this.openPartition(topic, index, false);
      }
    }
  }

  /** @param mustOpen throw LogError where its log cannot be opened, instead of going offline */
  private async openPartition(topic: TopicState, index: number, mustOpen: boolean): Promise<void> {
    const state = topic.partitions[index];
    if (state === undefined || state.leader !== this.nodeId) return;
    const settings = topicSettings(topic.properties, this.brokerProperties);
    const id = { topic: topic.name, topicId: topic.id, index };
    const { leaderEpoch, isr } = state;
    const meters = this.metersOf(topic.name);
    const { shortages } = this;
    const partition = new Partition(id, leaderEpoch, settings, isr.length, meters, shortages);
    const path = this.directory.partitionPath(topic.name, index);
    if (!isInternal(topic.name) || this.system.disk.statSync(path) !== undefined) {
      await (mustOpen ? this.opener.open(partition) : this.opener.openOrRetry(partition));
    }
    const partitions = this.byTopicId.get(topic.id);
    if (partitions !== undefined) partitions[index] = partition;
  }

  private metersOf(topic: string): TopicMeters {
    const { metrics } = this.system;
    const counter = ({ name, help }: (typeof METERS)[keyof TopicMeters]) =>
      metrics.counter(name, help, { topic });
    return {
      recordsIn: counter(METERS.recordsIn),
      bytesIn: counter(METERS.bytesIn),
      bytesOut: counter(METERS.bytesOut),
    };
  }

  /** A deleted topic: its directories are renamed at once and removed later. */
  private async retire(topic: TopicState): Promise<void> {
    const partitions = this.byTopicId.get(topic.id) ?? [];
    this.byTopicId.delete(topic.id);
    for (const { name } of Object.values(METERS)) {
      this.system.metrics.remove(name, { topic: topic.name });
    }
    for (const partition of partitions) {
      if (partition === undefined) continue;
      await this.opener.release(partition);
      await partition.abandon();
      if (!partition.hasLog) continue;
      const stored = { topic: topic.name, partition: partition.id.index, topicId: topic.id };
      await this.retireDirectory(stored, partition.settings.log.fileDeleteDelayMs);
    }
  }

  /** Where the rename fails it is tried again, unless a new topic of the name came first. */
  private async retireDirectory(stored: StoredPartition, delayMs: number): Promise<void> {
    try {
      const path = await this.directory.retire(stored, this.uniqueId());
      if (path !== undefined) this.removeLater(path, delayMs);
    } catch (error) {
      this.system.log.warn('a deleted partition could not be renamed yet', { ...stored, error });
      this.later(RETIRE_AGAIN_MS, () => {
        detach(this.retireDirectory(stored, delayMs), (why) => {
          this.system.log.error('a deleted partition stays where it is', { ...stored, why });
        });
      });
    }
  }

  private removeLater(path: string, delayMs: number): void {
    this.later(delayMs, () => this.remove(path));
  }

  private later(delayMs: number, work: () => void): void {
    if (this.closed) return;
    const timer = this.system.clock.after(delayMs, () => {
      this.removals.delete(timer);
      work();
    });
    this.removals.add(timer);
  }

  private uniqueId(): string {
    return this.metadata.newId().replaceAll('-', '');
  }

  private remove(path: string): void {
    detach(this.system.disk.removeTree(path), (error) => {
      this.system.log.warn('a deleted partition could not be removed', { path, error });
    });
  }

  /** Directories that belong to no topic, or to an earlier topic of the name. */
  private async putStraysAside(image: MetadataImage): Promise<void> {
    for (const { topic, partition, topicId } of this.directory.storedPartitions()) {
      const known = image.topics.get(topic);
      const fits = topicId === undefined || topicId === known?.id;
      if (known !== undefined && fits && partition < known.partitions.length) continue;
      const path = await this.directory.putAside(topic, partition, this.uniqueId());
      this.system.log.warn('a directory belongs to no topic of this broker: it was put aside', {
        path,
      });
    }
  }
}
