import { detach, type System, type Timer } from '../system/index.js';
import { Log, type LogEnvironment, TailMemory } from './log/index.js';
import type { LogDirectory } from './log-directory.js';
import type { ClusterMetadata, MetadataImage, TopicState } from './metadata/index.js';
import { Partition, type TopicMeters } from './partition.js';
import { type Properties, topicSettings } from './properties/index.js';
import { isInternal } from './topic-names.js';

/** Logs that are opened at once at start. */
const OPENED_AT_ONCE = 8;
/** Newest batches of all logs that are served from memory. */
const TAIL_BYTES = 16 * 1024 * 1024;

/** The partitions of this broker: follows the metadata's image, opens and closes their logs. */
export class Partitions {
  private readonly byTopicId = new Map<string, Partition[]>();
  /** Images are followed one after the other; resolves when the last one is. */
  private following: Promise<void> = Promise.resolve();
  /** Removals of deleted partitions that are still to come; the next start makes up for them. */
  private readonly removals = new Set<Timer>();
  private readonly tail = new TailMemory(TAIL_BYTES);
  private readonly environment: LogEnvironment;

  constructor(
    private readonly system: System,
    private readonly directory: LogDirectory,
    private readonly metadata: ClusterMetadata,
    private readonly nodeId: number,
    private readonly brokerProperties: Properties,
  ) {
    this.environment = system;
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
    for (const topic of this.metadata.image.topics.values()) {
      this.byTopicId.set(topic.id, []);
      for (const index of topic.partitions.keys()) {
        all.push(() => this.openPartition(topic, index));
      }
    }
    const worker = async () => {
      for (let next = all.shift(); next !== undefined; next = all.shift()) await next();
    };
    await Promise.all(Array.from({ length: OPENED_AT_ONCE }, worker));
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
        this.get(topic.id, index)?.lead(leaderEpoch);
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

  /** Creates the files of an internal topic's partition. */
  async createLog(partition: Partition): Promise<void> {
    if (partition.hasLog) return;
    const log = await this.openLog(partition);
    if (partition.hasLog) await log.close();
    else partition.attach(log);
  }

  /** Writes how far each log is durable, where it starts and ends. */
  async writeCheckpoints(): Promise<void> {
    const opened = [...this].filter(({ hasLog }) => hasLog);
    await this.directory.writeCheckpoints(opened.map((partition) => partition.checkpoint()));
  }

  /** Closes every log; afterwards the directory may be marked clean. */
  async close(): Promise<void> {
    await this.following;
    for (const timer of this.removals) timer.cancel();
    const opened = [...this];
    for (const partition of opened) await partition.close();
    const checkpoints = opened.filter(({ hasLog }) => hasLog).map((one) => one.checkpoint());
    await this.directory.writeCheckpoints(checkpoints);
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
        await this.openPartition(topic, index);
      }
    }
  }

  private async openPartition(topic: TopicState, index: number): Promise<void> {
    const state = topic.partitions[index];
    if (state === undefined || state.leader !== this.nodeId) return;
    const settings = topicSettings(topic.properties, this.brokerProperties);
    const id = { topic: topic.name, topicId: topic.id, index };
    const { leaderEpoch, isr } = state;
    const meters = this.metersOf(topic.name);
    const partition = new Partition(id, leaderEpoch, settings, isr.length, meters, undefined);
    const path = this.directory.partitionPath(topic.name, index);
    if (!isInternal(topic.name) || this.system.disk.statSync(path) !== undefined) {
      partition.attach(await this.openLog(partition));
    }
    const partitions = this.byTopicId.get(topic.id);
    if (partitions !== undefined) partitions[index] = partition;
  }

  private metersOf(topic: string): TopicMeters {
    const { metrics } = this.system;
    const counter = (name: string, help: string) =>
      metrics.counter(`logflume_broker_${name}_total`, help, { topic });
    return {
      recordsIn: counter('topic_in_records', 'Records appended.'),
      bytesIn: counter('topic_in_bytes', 'Bytes of record batches appended.'),
      bytesOut: counter('topic_out_bytes', 'Bytes of record batches read by clients.'),
    };
  }

  private async openLog({ id, settings }: Partition): Promise<Log> {
    const { topic, topicId, index } = id;
    await this.directory.createPartition(topic, index, topicId);
    const path = this.directory.partitionPath(topic, index);
    return Log.open(this.environment, path, settings.log, {
      ...this.directory.recoveryOptions(topic, index),
      tail: this.tail,
      onRecoveryPointLowered: () => this.writeCheckpoints(),
    });
  }

  /** A deleted topic: its directories are renamed at once and removed later. */
  private async retire(topic: TopicState): Promise<void> {
    const partitions = this.byTopicId.get(topic.id) ?? [];
    this.byTopicId.delete(topic.id);
    for (const partition of partitions) {
      if (partition === undefined) continue;
      await partition.close();
      if (!partition.hasLog) continue;
      const uniqueId = this.metadata.newId().replaceAll('-', '');
      const path = await this.directory.retire(topic.name, partition.id.index, uniqueId);
      const { fileDeleteDelayMs } = partition.settings.log;
      const timer = this.system.clock.after(fileDeleteDelayMs, () => {
        this.removals.delete(timer);
        this.remove(path);
      });
      this.removals.add(timer);
    }
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
      const uniqueId = this.metadata.newId().replaceAll('-', '');
      const path = await this.directory.putAside(topic, partition, uniqueId);
      this.system.log.warn('a directory belongs to no topic of this broker: it was put aside', {
        path,
      });
    }
  }
}
