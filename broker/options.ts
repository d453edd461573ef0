import type { MetadataStore } from './metadata/index.js';
import type { ListenerOptions } from './server.js';

/** A property as people write it. */
export type PropertyValue = string | number | boolean;

/** A topic that exists once the broker has started. */
export interface TopicOptions {
  /** Default `num.partitions`. A topic that has fewer is grown; one that has more stays. */
  readonly partitions?: number | undefined;
  readonly replicationFactor?: number | undefined;
  /** Kafka's topic properties; others of the topic stay as they are. */
  readonly properties?: Readonly<Record<string, PropertyValue>> | undefined;
}

/** How a broker is started. */
export interface BrokerOptions {
  /** The log directory; created where missing, and locked. */
  readonly dataDir: string;
  /** Default: any free port of 127.0.0.1. */
  readonly listeners?: readonly ListenerOptions[];
  /** Default 1. */
  readonly nodeId?: number;
  /** Kafka's broker properties. */
  readonly properties?: Readonly<Record<string, PropertyValue>>;
  readonly topics?: Readonly<Record<string, TopicOptions>>;
  /** Default: the file `metadata.json` in `dataDir`. */
  readonly metadata?: MetadataStore;
}
