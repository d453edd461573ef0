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
/** A block that starts here ends below 2^53. */
const LAST_BLOCK = 2 ** 53 - PRODUCER_ID_BLOCK;
/** Clusters that count from 0, Kafka's and ours of old, do not get here. */
const LOWEST_FIRST_ID = 2 ** 32;

/** What the metadata begin with where the store is new. */
export interface Beginning {
  /** Default: a new one. */
  readonly clusterId?: string | undefined;
  /** The topics there are already; written together with the cluster's id, or not at all. */
  readonly topics?: () => readonly TopicState[];
}

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

  /** Reads the store; a new one is given its beginning. */
  static async open(
    store: MetadataStore,
    random: Random,
    { clusterId = newId(random), topics = () => [] }: Beginning = {},
  ): Promise<ClusterMetadata> {
    if (!(await store.get(CLUSTER_KEY)).has(CLUSTER_KEY)) {
      const changes: Change[] = [{ key: CLUSTER_KEY, expected: 0, value: { id: clusterId } }];
      for (const topic of topics()) {
        changes.push({ key: TOPICS_PREFIX + topic.name, expected: 0, value: topicToJson(topic) });
      }
      await store.compareAndSwap(changes);
    }
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

  /**
   * A producer id that was never handed out before and never will be again, and that no log
   * remembers (`isKnown`), whoever wrote under it.
   */
  async allocateProducerId(isKnown: (id: number) => boolean = () => false): Promise<number> {
    for (;;) {
      while (this.nextProducerId >= this.producerIdsEnd) {
        this.allocation ??= this.allocateBlock().finally(() => {
          this.allocation = undefined;
        });
        await this.allocation;
      }
      const id = this.nextProducerId++;
      if (!isKnown(id)) return id;
    }
  }

  /**
   * A log remembers `highest`. Where the store has not got that far, it is older than the logs (or
   * a client made the id up): ids then go on from a new place, because the owners of those between
   * may not have written yet. False where the store knew of it.
   */
  async outgrowProducerId(highest: number): Promise<boolean> {
    if (highest < 0) return false;
    for (;;) {
      const { next, expected } = await this.storedProducerIds();
      if (next > highest) return false;
      const value: Json = { next: firstProducerId(this.random) };
      if (await this.store.compareAndSwap([{ key: PRODUCER_IDS_KEY, expected, value }])) {
        this.producerIdsEnd = this.nextProducerId;
        return true;
      }
    }
  }

  /** Takes a block of producer ids; it is durable before its first id is used. */
  private async allocateBlock(): Promise<void> {
    for (;;) {
      const { next, expected } = await this.storedProducerIds();
      const first = next < 0 ? firstProducerId(this.random) : next;
      const value: Json = { next: first + PRODUCER_ID_BLOCK };
      if (await this.store.compareAndSwap([{ key: PRODUCER_IDS_KEY, expected, value }])) {
        this.nextProducerId = first;
        this.producerIdsEnd = first + PRODUCER_ID_BLOCK;
        return;
      }
    }
  }

  /**
   * The first id that nobody has taken and the revision that says so; -1 where the store has none,
   * or none that leaves room for a block below 2^53.
   */
  private async storedProducerIds(): Promise<{ next: number; expected: number }> {
    const entry = (await this.store.get(PRODUCER_IDS_KEY)).get(PRODUCER_IDS_KEY);
    const stored = (entry?.value as { next?: unknown } | undefined)?.next;
    const isUsable = Number.isInteger(stored) && Number(stored) <= LAST_BLOCK;
    return { next: isUsable ? Number(stored) : -1, expected: entry?.revision ?? 0 };
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

/**
 * Where a store without producer ids begins to count: anywhere. An earlier life of this broker may
 * have handed out ids whose producers still write, and with its disk all memory of them is gone.
 * Invariant: 2^32 <= first < 2^32 + 2^52, so half of all ids are left to count on; and of two lives
 * that hand out m and n ids, one meets the other's with a chance of (m + n) / 2^52, whatever the
 * clock says: a million ids each, one in two thousand million.
 */
function firstProducerId(random: Random): number {
  const bytes = random.bytes(7);
  return LOWEST_FIRST_ID + (bytes.readUIntBE(0, 6) * 0x10 + ((bytes[6] as number) & 0x0f));
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
