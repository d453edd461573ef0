import { ErrorCode } from '../../protocol/index.js';
import type { Random } from '../../system/index.js';
import type { ClusterImage, TopicMetadata } from '../metadata.js';
import { Accumulator, type AccumulatorContext } from './accumulator.js';
import { ProducerError } from './errors.js';
import { partitionOfKey } from './murmur2.js';
import type { Partitioner } from './partitioner.js';

/** A topic's partitions, as the producer fills them. */
export class TopicState {
  private readonly accumulators: (Accumulator | undefined)[] = [];
  /** Where records without a key go until its batch is full (KIP-480). */
  private sticky: Accumulator | undefined;
  private nextPartition = 0;
  private image: ClusterImage | undefined;
  private metadata: TopicMetadata | undefined;

  constructor(
    readonly name: string,
    private readonly partitioner: Partitioner,
    private readonly random: Random,
    private readonly context: AccumulatorContext,
  ) {}

  /** The partitions are known. */
  get isReady(): boolean {
    return this.metadata !== undefined;
  }

  /** Takes over what the cluster knows of the topic, so that new partitions are filled too. */
  learn(image: ClusterImage): void {
    if (image === this.image) return;
    this.image = image;
    const metadata = image.topics.get(this.name);
    // A topic that is gone for now keeps its partitions: its records wait in them.
    if (metadata?.errorCode === ErrorCode.NONE) this.metadata = metadata;
  }

  /** A partition by its number. Throws ProducerError BAD_PARTITION where there is none. */
  at(partition: number): Accumulator {
    const count = this.partitionCount;
    if (!(Number.isInteger(partition) && partition >= 0 && partition < count)) {
      throw new ProducerError(
        'BAD_PARTITION',
        `topic ${this.name} has partitions 0 to ${count - 1}, not ${partition}`,
      );
    }
    this.accumulators[partition] ??= new Accumulator(this.name, partition, this.context);
    return this.accumulators[partition];
  }

  /** The partition that is the same for every record with this key; undefined: they vary. */
  fixed(key: Buffer | null): Accumulator | undefined {
    const { partitioner, partitionCount } = this;
    if (typeof partitioner === 'function') {
      return this.at(partitioner({ topic: this.name, key }, partitionCount));
    }
    if (partitioner === 'explicit' || (partitioner === 'key' && key === null)) {
      const missing = partitioner === 'key' ? 'a key' : 'a partition';
      throw new ProducerError('BAD_PARTITION', `topic ${this.name}: a record without ${missing}`);
    }
    if (key === null || (partitioner !== 'default' && partitioner !== 'key')) return undefined;
    return this.at(partitionOfKey(key, partitionCount));
  }

  /** Where the next record goes that is bound to no partition. */
  varying(): Accumulator {
    switch (this.partitioner) {
      case 'roundRobin':
        this.nextPartition = (this.nextPartition + 1) % this.partitionCount;
        return this.at(this.nextPartition);
      case 'random':
        return this.at(this.anyPartition());
      default:
        if (this.sticky?.isOpen !== true) this.sticky = this.at(this.anyPartition());
        return this.sticky;
    }
  }

  /** At random among those with a leader; among all where none has one. */
  private anyPartition(): number {
    const partitions = this.metadata?.partitions ?? [];
    const led = partitions.filter(({ leaderId }) => leaderId >= 0);
    const candidates = led.length > 0 ? led : partitions;
    const index = Math.floor(this.random.float() * candidates.length);
    return candidates[index]?.partition ?? 0;
  }

  private get partitionCount(): number {
    return this.metadata?.partitions.length ?? 0;
  }
}
