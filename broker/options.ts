import { faultOf, type OptionNames, type OptionRules, rule } from '../config/options/index.js';
import { BrokerError } from './broker-error.js';
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

const topicRules: OptionRules = {
  partitions: rule.count(1),
  replicationFactor: rule.count(1),
  properties: rule.record(rule.anything),
};

const brokerRules: OptionRules = {
  dataDir: rule.text,
  listeners: rule.list(rule.record(rule.record(rule.anything))),
  nodeId: rule.count(0),
  properties: rule.record(rule.anything),
  topics: rule.record((topic) => {
    const fault = faultOf('a topic', topic, topicRules, { names: foreignNames });
    return fault === undefined ? undefined : `is not right: ${fault}`;
  }),
  metadata: rule.anything,
};

const listening = 'listeners: [{ listen: { host, port } }] says where it listens';

/** Kafka's names and those of other programs, in lower case without punctuation. */
const foreignNames: OptionNames = {
  logdirs: 'dataDir',
  logdir: 'dataDir',
  brokerid: 'nodeId',
  port: listening,
  host: listening,
  advertisedlisteners: listening,
  numpartitions: 'partitions',
  configs: 'properties',
  config: 'properties',
};

/** Throws BrokerError INVALID_OPTION where an option is unknown, missing or of a wrong kind. */
export function checkBrokerOptions(options: unknown): void {
  const fault = faultOf('Broker.start', options, brokerRules, {
    required: ['dataDir'],
    names: foreignNames,
  });
  if (fault !== undefined) throw new BrokerError('INVALID_OPTION', fault);
}
