import { address, suggestion, topicName, z } from '../../config/index.js';
import type { BrokerOptions } from '../options.js';
import {
  brokerProperties,
  brokerPropertyProblems,
  type Properties,
  type PropertyProblem,
  topicPropertiesByName,
  topicPropertyProblems,
} from '../properties/index.js';

/** Kafka's properties: its names, its meanings; checked against those we know. */
function properties(
  problemsOf: (properties: Properties) => PropertyProblem[],
  known: readonly string[],
) {
  const value = z.union([z.string(), z.number(), z.boolean()], {
    error: 'must be text, a number, true or false',
  });
  return z
    .record(z.string(), value)
    .transform((record) => asText(record))
    .superRefine((record, context) => {
      for (const { name, text, unknown } of problemsOf(record)) {
        const message = unknown ? `${text}${suggestion(name, known)}` : text;
        context.addIssue({ code: 'custom', path: [name], message });
      }
    });
}

function asText(record: Readonly<Record<string, string | number | boolean>>): Properties {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, String(value)]));
}

const listener = z.strictObject({
  listen: address().describe('Where clients connect; port 0 takes any free one.'),
  advertise: address()
    .optional()
    .describe('What clients are told; needed where they cannot reach `listen` as it is written.'),
});

const topic = z
  .strictObject({
    partitions: z.int().min(1).max(10_000).optional().describe('Default: num.partitions.'),
    replication_factor: z.int().min(1).max(1).optional().describe('With one broker: 1.'),
    properties: properties(topicPropertyProblems, [...topicPropertiesByName.keys()])
      .optional()
      .describe("Kafka's topic properties, such as retention.ms."),
  })
  .describe('Created at start and grown where it has fewer partitions; never shrunk or deleted.');

/** The `broker:` section. */
export const brokerSection = z
  .strictObject({
    listeners: z
      .array(listener)
      .min(1)
      .prefault([{ listen: '127.0.0.1:9092' }])
      .describe('Where the broker listens, and what it tells clients to use.'),
    node_id: z.int().min(0).default(1).describe('The broker’s number in its cluster.'),
    properties: properties(brokerPropertyProblems, [...brokerProperties.keys()])
      .prefault({})
      .describe("Kafka's broker properties, with Kafka's meanings."),
    topics: z.record(topicName(), topic.prefault({})).default({}).describe('Topics by name.'),
  })
  .describe('The embedded broker.');

export type BrokerConfig = z.output<typeof brokerSection>;

/** The options of `Broker.start` that a parsed section stands for. */
export function brokerOptions(config: BrokerConfig, dataDir: string): BrokerOptions {
  const topics = Object.entries(config.topics).map(([name, wanted]) => [
    name,
    {
      partitions: wanted.partitions,
      replicationFactor: wanted.replication_factor,
      properties: wanted.properties,
    },
  ]);
  return {
    dataDir,
    listeners: config.listeners,
    nodeId: config.node_id,
    properties: config.properties,
    topics: Object.fromEntries(topics),
  };
}
