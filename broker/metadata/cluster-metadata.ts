import type { Random } from '../../system/index.js';
import {
  CLUSTER_KEY,
  imageOf,
  type MetadataImage,
  PRODUCER_IDS_KEY,
  TOPICS_PREFIX,
  type TopicState,
  topicFromJson,
  topicToJson,
} from './image.js';
import type { Change, Json, MetadataStore, Versioned } from './store.js';

/** Producer ids that are taken from the store at once, as in Kafka. */
const PRODUCER_ID_BLOCK = 1000;

/** What becomes of a topic: the new state, null to remove it, undefined to leave it as it is. */
export type TopicChange = (before: TopicState | undefined) => TopicState | null | undefined;

/**
 * The metadata as this broker knows it. Reading is looking at `image`; every change goes through
 * the store by compare-and-swap and is in the image when its promise resolves.
 */
export class ClusterMetadata {
  private current: MetadataImage;
  private readonly revisions = new Map<string, number>();
  private readonly listeners = new Set<(image: MetadataImage, before: MetadataImage) => void>();
  /** Ids of the block at hand: the next one, and the first that is no longer in it. */
  private nextProducerId = 0;
  private producerIdsEnd = 0;
  private allocation: Promise<void> | undefined;

  private constructor(
    private readonly store: MetadataStore,
    private readonly random: Random,
    clusterId: string,
    topics: ReadonlyMap<string, Versioned>,
  ) {
    for (const [key, { revision }] of topics) this.revisions.set(key, revision);
    const states = [...topics].map(([key, { value }]) => topicFromJson(nameOf(key), value));
    this.current = imageOf(clusterId, states);
    store.watch(TOPICS_PREFIX, (key, entry) => this.applyTopic(key, entry));
  }

  /** Reads the store; a new one is given a cluster id (`clusterId` where one is known). */
  static async open(
    store: MetadataStore,
    random: Random,
    clusterId: string = newId(random),
  ): Promise<ClusterMetadata> {
    await store.compareAndSwap([{ key: CLUSTER_KEY, expected: 0, value: { id: clusterId } }]);
    const cluster = (await store.get(CLUSTER_KEY)).get(CLUSTER_KEY)?.value as { id: string };
    return new ClusterMetadata(store, random, cluster.id, await store.get(TOPICS_PREFIX));
  }

  get image(): MetadataImage {
    return this.current;
  }

  /** Calls back after each change of the image; returns a function that stops that. */
  onChange(listener: (image: MetadataImage, before: MetadataImage) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** An id for a topic or a directory that nothing else will ever have. */
  newId(): string {
    return newId(this.random);
  }

  /** Changes one topic; `change` may be called again where another change came first. */
  async changeTopic(name: string, change: TopicChange): Promise<TopicState | undefined> {
    for (;;) {
      const after = change(this.current.topics.get(name));
      if (after === undefined) return this.current.topics.get(name);
      if (await this.store.compareAndSwap([this.topicChange(name, after)]))
        return after ?? undefined;
    }
  }

  /** Adds all topics whose names are not taken, at once. */
  async addTopics(topics: readonly TopicState[]): Promise<void> {
    for (;;) {
      const missing = topics.filter(({ name }) => !this.current.topics.has(name));
      const changes = missing.map((topic) => this.topicChange(topic.name, topic));
      if (changes.length === 0 || (await this.store.compareAndSwap(changes))) return;
    }
  }

  /** Changes every topic for which `change` returns another state, all at once. */
  async changeAllTopics(change: (topic: TopicState) => TopicState): Promise<void> {
    for (;;) {
      const changes: Change[] = [];
      for (const topic of this.current.topics.values()) {
        const after = change(topic);
        if (after !== topic) changes.push(this.topicChange(topic.name, after));
      }
      if (changes.length === 0 || (await this.store.compareAndSwap(changes))) return;
    }
  }

  /** A producer id that was never handed out before and never will be again. */
  async allocateProducerId(): Promise<number> {
    while (this.nextProducerId >= this.producerIdsEnd) {
      this.allocation ??= this.allocateBlock().finally(() => {
        this.allocation = undefined;
      });
      await this.allocation;
    }
    return this.nextProducerId++;
  }

  /**
   * Sees to it that no producer id up to `highest` is handed out from now on, nor those of a block
   * behind it: its owners may not have written yet. False where the store knew of `highest`.
   */
  async skipProducerIds(highest: number): Promise<boolean> {
    for (;;) {
      const { next, expected } = await this.storedProducerIds();
      if (next > highest) return false;
      const value: Json = { next: highest + 1 + PRODUCER_ID_BLOCK };
      if (await this.store.compareAndSwap([{ key: PRODUCER_IDS_KEY, expected, value }])) {
        this.producerIdsEnd = this.nextProducerId;
        return true;
      }
    }
  }

  /** Takes a block of producer ids; it is durable before its first id is used. */
  private async allocateBlock(): Promise<void> {
    for (;;) {
      const { next: first, expected } = await this.storedProducerIds();
      const value: Json = { next: first + PRODUCER_ID_BLOCK };
      if (await this.store.compareAndSwap([{ key: PRODUCER_IDS_KEY, expected, value }])) {
        this.nextProducerId = first;
        this.producerIdsEnd = first + PRODUCER_ID_BLOCK;
        return;
      }
    }
  }

  /** The first id that nobody has taken, and the revision that says so. */
  private async storedProducerIds(): Promise<{ next: number; expected: number }> {
    const entry = (await this.store.get(PRODUCER_IDS_KEY)).get(PRODUCER_IDS_KEY);
    const next = (entry?.value as { next: number } | undefined)?.next ?? 0;
    return { next, expected: entry?.revision ?? 0 };
  }

  private topicChange(name: string, after: TopicState | null): Change {
    const key = TOPICS_PREFIX + name;
    const value = after === null ? undefined : topicToJson(after);
    return { key, expected: this.revisions.get(key) ?? 0, value };
  }

  private applyTopic(key: string, entry: Versioned | undefined): void {
    const name = nameOf(key);
    const topics = new Map(this.current.topics);
    if (entry === undefined) {
      this.revisions.delete(key);
      topics.delete(name);
    } else {
      this.revisions.set(key, entry.revision);
      topics.set(name, topicFromJson(name, entry.value));
    }
    const before = this.current;
    this.current = imageOf(before.clusterId, topics.values());
    for (const listener of this.listeners) listener(this.current, before);
  }
}

function nameOf(key: string): string {
  return key.slice(TOPICS_PREFIX.length);
}

/** Sixteen random bytes as Kafka writes ids; never one that starts with a dash (a CLI's option). */
function newId(random: Random): string {
  for (;;) {
    const id = random.bytes(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}
