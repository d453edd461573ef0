import { batchesOf } from '../protocol/records/index.js';
import { detach } from '../system/index.js';
import type { OffsetsLog } from './group/index.js';
import { LogError } from './log/index.js';
import type { ClusterMetadata } from './metadata/index.js';
import type { Partition } from './partition.js';
import type { Partitions } from './partitions.js';
import type { BrokerSettings } from './properties/index.js';
import { OFFSETS_TOPIC } from './topic-names.js';
import type { Topics } from './topics.js';

/** Bytes of one piece where a partition is read back. */
const READ_BYTES = 1024 * 1024;

/** The topic `__consumer_offsets` as the group coordinator wants it. */
export class OffsetsTopic implements OffsetsLog {
  /** Appends of each partition are made one after the other. */
  private readonly appending = new Map<number, Promise<void>>();

  constructor(
    private readonly metadata: ClusterMetadata,
    private readonly topics: Topics,
    private readonly partitionsOfBroker: Partitions,
    private readonly settings: BrokerSettings,
  ) {}

  get partitionCount(): number {
    const topic = this.metadata.image.topics.get(OFFSETS_TOPIC);
    return topic?.partitions.length ?? this.settings.offsetsTopicNumPartitions;
  }

  partitions(): readonly number[] {
    const indexes: number[] = [];
    for (let index = 0; index < this.partitionCount; index++) {
      if (this.find(index)?.hasLog === true) indexes.push(index);
    }
    return indexes;
  }

  append(index: number, batch: Buffer): Promise<void> {
    const before = this.appending.get(index);
    const partition = this.find(index);
    // Nothing is in the way of an append that may take effect at once.
    const appended =
      before === undefined && partition?.hasLog === true
        ? settled(() => partition.append(batch))
        : (before ?? Promise.resolve())
            .catch(() => {})
            .then(async () => (await this.opened(index)).append(batch));
    const durable = appended.then((result) => this.find(index)?.durable(result));
    this.appending.set(index, durable);
    const forget = () => {
      if (this.appending.get(index) === durable) this.appending.delete(index);
    };
    // Whoever appended hears of a failure.
    detach(durable.then(forget), forget);
    return durable;
  }

  async *read(index: number): AsyncIterable<Buffer> {
    const partition = this.find(index);
    if (partition === undefined) return;
    let offset = partition.startOffset;
    while (offset < partition.endOffset) {
      const chunk = await partition.read(offset, READ_BYTES, true);
      if (chunk.length === 0) return;
      for (const { baseOffset, lastOffsetDelta } of batchesOf(chunk)) {
        offset = baseOffset + lastOffsetDelta + 1;
      }
      yield chunk;
    }
  }

  private find(index: number): Partition | undefined {
    const topic = this.metadata.image.topics.get(OFFSETS_TOPIC);
    return topic && this.partitionsOfBroker.get(topic.id, index);
  }

  private async opened(index: number): Promise<Partition> {
    await this.topics.ensureOffsetsTopic();
    const partition = this.find(index);
    if (partition === undefined) {
      throw new LogError('LOG_CLOSED', `${OFFSETS_TOPIC}-${index} is not led by this broker`);
    }
    await this.partitionsOfBroker.createLog(partition);
    return partition;
  }
}

/** A call as a promise, made at once. */
async function settled<T>(call: () => T): Promise<T> {
  return call();
}
