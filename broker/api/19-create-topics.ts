import { CreateTopics, type CreateTopicsRequest, ErrorCode } from '../../protocol/index.js';
import { handler, type RequestContext } from '../handler.js';
import { effectiveTopicProperties } from '../properties/index.js';
import type { NewTopic } from '../resources/index.js';
import { configSource } from './config-source.js';
import { errorCodeOf, messageOf } from './error-code.js';

type Requested = CreateTopicsRequest['topics'][number];

export const createTopics = handler(CreateTopics, async (request, context) => {
  const { topics, validateOnly } = request;
  const repeated = repeatedNames(topics.map(({ name }) => name));
  const results = topics.map((topic) =>
    repeated.has(topic.name)
      ? refused(topic.name, ErrorCode.INVALID_REQUEST, 'the request names the topic twice')
      : create(topic, validateOnly, context),
  );
  return { topics: await Promise.all(results) };
});

/** Names that stand more than once in a request. */
function repeatedNames(names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const name of names) (seen.has(name) ? repeated : seen).add(name);
  return repeated;
}

async function create(requested: Requested, validateOnly: boolean, { topics }: RequestContext) {
  try {
    const topic = await topics.create(wanted(requested), validateOnly);
    const effective = effectiveTopicProperties(topic.properties, topics.defaults);
    return {
      name: topic.name,
      topicId: topic.id,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      numPartitions: topic.partitions.length,
      replicationFactor: topic.partitions[0]?.replicas.length ?? -1,
      configs: [...effective].map(([name, { value, source }]) => ({
        ...{ name, value, readOnly: false, isSensitive: false },
        configSource: configSource[source],
      })),
    };
  } catch (error) {
    return refused(requested.name, errorCodeOf(error), messageOf(error));
  }
}

function wanted(requested: Requested): NewTopic {
  const { name, numPartitions, replicationFactor, assignments, configs } = requested;
  return {
    name,
    partitions: numPartitions,
    replicationFactor,
    assignments: assignments.map(({ partitionIndex, brokerIds }) => ({
      partition: partitionIndex,
      brokers: brokerIds,
    })),
    properties: Object.fromEntries(
      configs.flatMap(({ name: property, value }) => (value === null ? [] : [[property, value]])),
    ),
  };
}

function refused(name: string, errorCode: number, errorMessage: string | null) {
  return { name, errorCode, errorMessage, configs: null };
}
