import type { Json } from './store.js';

/** One partition as all brokers see it. */
export interface PartitionState {
  /** Node id of the leader, -1 while there is none. */
  readonly leader: number;
  /** Grows whenever a leader takes office, also the same one after an unclean stop. */
  readonly leaderEpoch: number;
  /** Node ids; the first is the preferred leader. */
  readonly replicas: readonly number[];
  /** Node ids of the replicas that have everything below the high watermark. */
  readonly isr: readonly number[];
}

/** One topic. Its name may be used again after a deletion; its id never is. */
export interface TopicState {
  readonly name: string;
  /** 22 characters of url-safe base64. */
  readonly id: string;
  /** Kafka's topic properties as set for this topic alone. */
  readonly properties: Readonly<Record<string, string>>;
  /** By partition index. */
  readonly partitions: readonly PartitionState[];
}

/** All metadata at one moment; immutable, replaced as a whole by each change. */
export interface MetadataImage {
  readonly clusterId: string;
  /** In the order of their names. */
  readonly topics: ReadonlyMap<string, TopicState>;
  readonly topicsById: ReadonlyMap<string, TopicState>;
}

/** Where in the store a topic is kept. */
export const TOPICS_PREFIX = 'topics/';
export const CLUSTER_KEY = 'cluster';
export const PRODUCER_IDS_KEY = 'producer-ids';

/** A topic as the store holds it, under its name. */
export function topicToJson({ id, properties, partitions }: TopicState): Json {
  return {
    id,
    properties,
    partitions: partitions.map(({ leader, leaderEpoch, replicas, isr }) => ({
      leader,
      leaderEpoch,
      replicas,
      isr,
    })),
  };
}

/** The way back from `topicToJson`. */
export function topicFromJson(name: string, json: Json): TopicState {
  const { id, properties, partitions } = json as unknown as Omit<TopicState, 'name'>;
  return { name, id, properties, partitions };
}

/** An image of these topics. */
export function imageOf(clusterId: string, topics: Iterable<TopicState>): MetadataImage {
  const sorted = [...topics].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    clusterId,
    topics: new Map(sorted.map((topic) => [topic.name, topic])),
    topicsById: new Map(sorted.map((topic) => [topic.id, topic])),
  };
}
