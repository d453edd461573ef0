import { ErrorCode, ZERO_UUID } from '../../protocol/index.js';
import { CLUSTER_NAME, type Operation } from '../authorizer.js';
import { ApiError } from '../broker-error.js';
import type { TopicState } from '../metadata/index.js';
import type { Partition } from '../partition.js';
import type { Partitions } from '../partitions.js';
import type { Properties } from '../properties/index.js';
import type { BrokerServices } from '../services.js';
import type { Session } from '../session.js';
import { OFFSETS_TOPIC } from '../topic-names.js';
import type { NewTopic } from '../topics.js';

/** A topic that a request names, or why there is none for it. */
export class FoundTopic {
  constructor(
    /** As far as it is known; for an id that is not, what the request says. */
    readonly name: string,
    readonly id: string,
    readonly errorCode: number,
    /** Undefined where there is an error. */
    readonly state: TopicState | undefined,
    private readonly partitions: Partitions,
  ) {}

  /** The client may not do what it asks for; whether there is such a topic is not said. */
  get isRefused(): boolean {
    return this.errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED;
  }

  /** A partition that this broker leads. */
  partition(index: number): Partition | undefined {
    return this.state && this.partitions.get(this.id, index);
  }

  /** The code for a partition that this broker does not serve. */
  missingPartition(index: number): number {
    return this.state?.partitions[index] === undefined
      ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      : ErrorCode.NOT_LEADER_OR_FOLLOWER;
  }
}

/** The topics as one client may use them. What changes them refuses with an ApiError. */
export class TopicResources {
  constructor(
    private readonly session: Session,
    private readonly services: BrokerServices,
  ) {}

  /**
   * Finds a topic by the id of newer versions (`name` empty or null), or by the name of older
   * ones.
   */
  find(name: string | null, id: string, operation: Operation): FoundTopic {
    const { metadata, partitions } = this.services;
    const { topics, topicsById } = metadata.image;
    const byId = name === null || (name === '' && id !== ZERO_UUID);
    const topic = byId ? topicsById.get(id) : topics.get(name);
    // A name is refused whether there is such a topic or not, lest the answer tell.
    const asked = topic?.name ?? name;
    if (asked !== null && asked !== '' && !this.allows(operation, asked)) {
      const denied = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
      return new FoundTopic(name ?? '', id, denied, undefined, partitions);
    }
    if (topic !== undefined) {
      return new FoundTopic(topic.name, topic.id, ErrorCode.NONE, topic, partitions);
    }
    const missing = byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    return new FoundTopic(name ?? '', id, missing, undefined, partitions);
  }

  /** The topic of this name; an ApiError where there is none for the client. */
  get(name: string, operation: Operation): TopicState {
    this.check(operation, name);
    const topic = this.services.metadata.image.topics.get(name);
    if (topic !== undefined) return topic;
    throw new ApiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `there is no topic ${name}`);
  }

  /** All topics of which the client may hear. */
  all(): readonly TopicState[] {
    const { topics } = this.services.metadata.image;
    return [...topics.values()].filter(({ name }) => this.allows('DESCRIBE', name));
  }

  /** What topics have where they do not say: the broker's properties as they were set. */
  get defaults(): Properties {
    return this.services.properties;
  }

  /** The topic, created by the broker's defaults where it is missing. */
  async ensure(name: string): Promise<TopicState> {
    this.checkCreate(name);
    const { topics } = this.services;
    return name === OFFSETS_TOPIC ? topics.ensureOffsetsTopic() : topics.ensure(name);
  }

  async create(wanted: NewTopic, validateOnly: boolean): Promise<TopicState> {
    this.checkCreate(wanted.name);
    return this.services.topics.createFor(wanted, validateOnly);
  }

  /** Adds partitions, which can only be assigned to these brokers. */
  async grow(
    name: string,
    count: number,
    brokers: readonly (readonly number[])[],
    validateOnly: boolean,
  ): Promise<void> {
    this.check('ALTER', name);
    const { nodeId, topics } = this.services;
    if (brokers.some((ids) => ids.join() !== `${nodeId}`)) {
      const text = `new partitions can only be assigned to broker ${nodeId}`;
      throw new ApiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, text);
    }
    await topics.grow(name, count, validateOnly);
  }

  /** Changes a topic's properties. */
  async configure(
    name: string,
    change: (before: Properties) => Properties,
    validateOnly: boolean,
  ): Promise<void> {
    this.check('ALTER_CONFIGS', name);
    await this.services.topics.configure(name, change, validateOnly);
  }

  /** Deletes a topic for good, with what groups have committed of it. */
  async delete(name: string): Promise<void> {
    this.check('DELETE', name);
    await this.services.topics.delete(name);
    await this.services.groups.forgetTopic(name);
  }

  private allows(operation: Operation, name: string): boolean {
    return this.services.authorizer(this.session, operation, 'TOPIC', name);
  }

  /** Who may create topics in the cluster may create any. */
  private checkCreate(name: string): void {
    const { authorizer } = this.services;
    if (authorizer(this.session, 'CREATE', 'CLUSTER', CLUSTER_NAME)) return;
    this.check('CREATE', name);
  }

  private check(operation: Operation, name: string): void {
    if (this.allows(operation, name)) return;
    const text = `${operation} of the topic ${name} is not allowed`;
    throw new ApiError(ErrorCode.TOPIC_AUTHORIZATION_FAILED, text);
  }
}
