import { ZERO_UUID } from '../../protocol/index.js';

/** How far a group has come in one partition. */
export interface CommittedOffset {
  /** Offset of the next record to read. */
  readonly offset: number;
  /** -1: unknown. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Milliseconds since the epoch. */
  readonly commitTimestamp: number;
  /** Milliseconds since the epoch; -1: by the broker's retention. Set by OffsetCommit 2 to 4. */
  readonly expireTimestamp: number;
  /** ZERO_UUID in what was stored before topics had ids. */
  readonly topicId: string;
}

/** A partition's name. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A committed offset with its partition; null takes it back. */
export interface OffsetEntry extends TopicPartition {
  readonly value: CommittedOffset | null;
}

/** The offsets of one group. */
export class CommittedOffsets {
  private readonly topics = new Map<string, Map<number, CommittedOffset>>();

  get isEmpty(): boolean {
    return this.topics.size === 0;
  }

  clear(): void {
    this.topics.clear();
  }

  apply({ topic, partition, value }: OffsetEntry): void {
    const partitions = this.topics.get(topic) ?? new Map<number, CommittedOffset>();
    if (value === null) partitions.delete(partition);
    else partitions.set(partition, value);
    if (partitions.size === 0) this.topics.delete(topic);
    else this.topics.set(topic, partitions);
  }

  /** Undefined also where the offset is that of an earlier topic of the same name. */
  get(topic: string, partition: number, topicId: string = ZERO_UUID): CommittedOffset | undefined {
    const value = this.topics.get(topic)?.get(partition);
    if (value === undefined || value.topicId === ZERO_UUID || topicId === ZERO_UUID) return value;
    return value.topicId === topicId ? value : undefined;
  }

  *entries(): Generator<TopicPartition & { readonly value: CommittedOffset }> {
    for (const [topic, partitions] of this.topics) {
      for (const [partition, value] of partitions) yield { topic, partition, value };
    }
  }
}
