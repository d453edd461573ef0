import { ErrorCode } from '../protocol/index.js';
import { ApiError } from './broker-error.js';
import type { ClusterMetadata, PartitionState, TopicState } from './metadata/index.js';
import type { Partitions } from './partitions.js';
import { type BrokerSettings, type Properties, topicPropertyProblems } from './properties/index.js';
import {
  checkTopicName,
  collidingTopic,
  isInternal,
  OFFSETS_TOPIC,
  offsetsTopicProperties,
} from './topic-names.js';

/** Partitions that one topic may have. */
const MAX_PARTITIONS = 10_000;

/** A topic that is wanted. */
export interface NewTopic {
  readonly name: string;
  /** -1 for the broker's default. */
  readonly partitions: number;
  /** -1 for the broker's default. */
  readonly replicationFactor: number;
  /** Node ids by partition, where the client chose them; empty where it did not. */
  readonly assignments: readonly {
    readonly partition: number;
    readonly brokers: readonly number[];
  }[];
  readonly properties: Properties;
}

const DEFAULTS = { partitions: -1, replicationFactor: -1, assignments: [] };

/** Creates, grows, configures and deletes topics. Refusals are ApiErrors. */
export class Topics {
  constructor(
    private readonly metadata: ClusterMetadata,
    private readonly partitions: Partitions,
    private readonly settings: BrokerSettings,
    private readonly nodeId: number,
  ) {}

  /** As `create`, for a client: internal topics are the broker's to make. */
  async createFor(wanted: NewTopic, validateOnly: boolean): Promise<TopicState> {
    refuseInternal(wanted.name);
    return this.create(wanted, validateOnly);
  }

  /** Creates a topic; resolves when its partitions take records. */
  async create(wanted: NewTopic, validateOnly = false): Promise<TopicState> {
    this.check(wanted);
    const count = this.partitionCount(wanted);
    const topic: TopicState = {
      name: wanted.name,
      id: this.metadata.newId(),
      properties: wanted.properties,
      partitions: Array.from({ length: count }, () => this.newPartition()),
    };
    if (validateOnly) return topic;
    const created = await this.metadata.changeTopic(wanted.name, (before) => {
      if (before !== undefined) throw alreadyExists(wanted.name);
      return topic;
    });
    await this.partitions.settled();
    return created ?? topic;
  }

  /** The topic, created by the broker's defaults where it is missing. */
  ensure(name: string): Promise<TopicState> {
    return this.existingOrNew({ name, ...DEFAULTS, properties: {} });
  }

  /** The topic of the groups' offsets. Its partitions get files when they are first used. */
  ensureOffsetsTopic(): Promise<TopicState> {
    return this.existingOrNew({
      name: OFFSETS_TOPIC,
      ...DEFAULTS,
      partitions: this.settings.offsetsTopicNumPartitions,
      properties: offsetsTopicProperties(this.settings),
    });
  }

  private async existingOrNew(wanted: NewTopic): Promise<TopicState> {
    const existing = this.metadata.image.topics.get(wanted.name);
    if (existing !== undefined) return existing;
    try {
      return await this.create(wanted);
    } catch (error) {
      // Another client was faster.
      const created = this.metadata.image.topics.get(wanted.name);
      if (created === undefined) throw error;
      await this.partitions.settled();
      return created;
    }
  }

  /** Adds partitions; the topic must have fewer. */
  async grow(name: string, count: number, validateOnly = false): Promise<TopicState> {
    // With another number of partitions a group's offsets would be looked for elsewhere.
    refuseInternal(name);
    const change = (before: TopicState | undefined): TopicState => {
      const topic = known(before, name);
      const has = topic.partitions.length;
      if (count <= has || count > MAX_PARTITIONS) {
        const reason =
          count > MAX_PARTITIONS ? `at most ${MAX_PARTITIONS} are possible` : 'it can only grow';
        const text = `${name} has ${has} partitions and cannot get ${count}: ${reason}`;
        throw new ApiError(ErrorCode.INVALID_PARTITIONS, text);
      }
      const added = Array.from({ length: count - has }, () => this.newPartition());
      return { ...topic, partitions: [...topic.partitions, ...added] };
    };
    if (validateOnly) return change(this.metadata.image.topics.get(name));
    const grown = await this.metadata.changeTopic(name, change);
    await this.partitions.settled();
    return known(grown, name);
  }

  /** Sets and removes (null) properties of a topic. */
  async configure(
    name: string,
    change: (before: Properties) => Properties,
    validateOnly = false,
  ): Promise<void> {
    // With retention, say, offsets would be lost: its properties follow from the broker's.
    refuseInternal(name);
    const apply = (before: TopicState | undefined): TopicState => {
      const topic = known(before, name);
      const properties = change(topic.properties);
      checkProperties(properties);
      return { ...topic, properties };
    };
    if (validateOnly) {
      apply(this.metadata.image.topics.get(name));
      return;
    }
    await this.metadata.changeTopic(name, apply);
    await this.partitions.settled();
  }

  /** Deletes a topic for good. */
  async delete(name: string): Promise<void> {
    if (!this.settings.deleteTopicEnable) {
      const text = 'deletion is switched off by delete.topic.enable';
      throw new ApiError(ErrorCode.TOPIC_DELETION_DISABLED, text);
    }
    refuseInternal(name);
    await this.metadata.changeTopic(name, (before) => {
      known(before, name);
      return null;
    });
    await this.partitions.settled();
  }

  private check(wanted: NewTopic): void {
    checkTopicName(wanted.name);
    const { topics } = this.metadata.image;
    if (topics.has(wanted.name)) throw alreadyExists(wanted.name);
    const colliding = collidingTopic(wanted.name, topics.keys());
    if (colliding !== undefined) {
      const text = `${wanted.name} collides with ${colliding}: metrics cannot tell . from _`;
      throw new ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION, text);
    }
    checkProperties(wanted.properties);
    this.checkReplicas(wanted);
  }

  private checkReplicas({ replicationFactor, assignments }: NewTopic): void {
    if (assignments.length === 0) {
      if (replicationFactor === -1 || replicationFactor === 1) return;
      const text = `${replicationFactor} replicas are not possible with one broker`;
      throw new ApiError(ErrorCode.INVALID_REPLICATION_FACTOR, text);
    }
    const indexes = new Set(assignments.map(({ partition }) => partition));
    const contiguous = assignments.every((_, index) => indexes.has(index));
    const here = assignments.every(({ brokers }) => brokers.join() === String(this.nodeId));
    if (!contiguous || !here) {
      const text = `each partition from 0 on must be assigned to broker ${this.nodeId} alone`;
      throw new ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, text);
    }
  }

  private partitionCount({ partitions, assignments }: NewTopic): number {
    if (assignments.length > 0) return assignments.length;
    const count = partitions === -1 ? this.settings.numPartitions : partitions;
    if (count >= 1 && count <= MAX_PARTITIONS) return count;
    const text = `a topic has 1 to ${MAX_PARTITIONS} partitions, not ${count}`;
    throw new ApiError(ErrorCode.INVALID_PARTITIONS, text);
  }

  private newPartition(): PartitionState {
    return { leader: this.nodeId, leaderEpoch: 0, replicas: [this.nodeId], isr: [this.nodeId] };
  }
}

function known(topic: TopicState | undefined, name: string): TopicState {
  if (topic !== undefined) return topic;
  const text = `there is no topic ${name}`;
  throw new ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, text);
}

function refuseInternal(name: string): void {
  if (!isInternal(name)) return;
  throw new ApiError(ErrorCode.INVALID_TOPIC_EXCEPTION, `${name} is internal`);
}

function alreadyExists(name: string): ApiError {
  return new ApiError(ErrorCode.TOPIC_ALREADY_EXISTS, `the topic ${name} exists already`);
}

function checkProperties(properties: Properties): void {
  const [problem] = topicPropertyProblems(properties);
  if (problem === undefined) return;
  throw new ApiError(ErrorCode.INVALID_CONFIG, `${problem.name} ${problem.text}`);
}
