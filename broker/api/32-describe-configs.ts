import {
  DescribeConfigs,
  type DescribeConfigsRequest,
  ErrorCode,
  ProtocolError,
} from '../../protocol/index.js';
import { ApiError } from '../broker-error.js';
import { handler, type RequestContext } from '../handler.js';
import {
  brokerProperties,
  type EffectiveValue,
  effectiveTopicProperties,
  type Properties,
  type PropertyDefinition,
  propertyTypes,
  type TopicPropertyDefinition,
  topicProperties,
} from '../properties/index.js';
import type { ClusterResources, TopicResources } from '../resources/index.js';
import { configSource, resourceType } from './config-source.js';
import { errorCodeOf, messageOf } from './error-code.js';
import { once } from './once.js';

interface Synonym {
  readonly name: string;
  readonly value: string;
  readonly source: number;
}

type Resource = DescribeConfigsRequest['resources'][number];

/** Resources one request may ask for: each costs some kilobytes of answer. */
const MAX_RESOURCES = 20_000;

export const describeConfigs = handler(DescribeConfigs, (request, context) => {
  const { resources } = request;
  if (resources.length > MAX_RESOURCES) {
    const what = `the properties of ${resources.length} resources at once`;
    throw new ProtocolError('TOO_LARGE', `${what}; ${MAX_RESOURCES} are possible`);
  }
  const named = once(resources, (each) => `${each.resourceType} ${each.resourceName}`);
  return { results: named.map((resource) => describe(resource, request, context)) };
});

function describe(resource: Resource, request: DescribeConfigsRequest, context: RequestContext) {
  const named = { resourceType: resource.resourceType, resourceName: resource.resourceName };
  try {
    const all = resourceConfigs(resource, context);
    const keys = resource.configurationKeys;
    // As Kafka since 2.6 (KAFKA-9432): older Java clients send the empty list for all.
    const isAll = keys === null || keys.length === 0;
    const wanted = isAll ? all : all.filter(({ name }) => keys.includes(name));
    const configs = wanted.map(({ synonyms, documentation, ...config }) => ({
      ...config,
      synonyms: request.includeSynonyms ? synonyms : [],
      documentation: request.includeDocumentation ? documentation : null,
    }));
    return { errorCode: ErrorCode.NONE, errorMessage: null, ...named, configs };
  } catch (error) {
    const errorMessage = messageOf(error);
    return { errorCode: errorCodeOf(error), errorMessage, ...named, configs: [] };
  }
}

function resourceConfigs(
  { resourceType: type, resourceName }: Resource,
  { topics, cluster }: RequestContext,
) {
  if (type === resourceType.topic) return topicConfigs(resourceName, topics);
  if (type === resourceType.broker) return brokerConfigs(resourceName, cluster);
  throw new ApiError(
    ErrorCode.INVALID_REQUEST,
    `resources of type ${type} have no properties here`,
  );
}

function topicConfigs(name: string, topics: TopicResources) {
  const { properties } = topics.get(name, 'DESCRIBE_CONFIGS');
  const effective = effectiveTopicProperties(properties, topics.defaults);
  return topicProperties.map((definition) => {
    const inForce = effective.get(definition.name);
    const { value, source } = inForce ?? { value: definition.default, source: 'default' as const };
    return {
      ...common(definition, value, source),
      readOnly: false,
      synonyms: synonymsOf(definition, inForce, topics.defaults),
    };
  });
}

/** Every place that sets a topic's property, the strongest first. */
function synonymsOf(
  definition: TopicPropertyDefinition,
  inForce: EffectiveValue | undefined,
  broker: Properties,
) {
  const synonyms: Synonym[] = [];
  if (inForce?.source === 'topic') {
    synonyms.push({ name: definition.name, value: inForce.value, source: configSource.topic });
  }
  const { brokerProperty } = inForce ?? {};
  if (brokerProperty !== undefined) {
    const value = broker[brokerProperty] ?? '';
    synonyms.push({ name: brokerProperty, value, source: configSource.broker });
  }
  // As Kafka, the default goes by the broker's name: max.message.bytes is not there twice.
  const name = defaultName(definition);
  const value = brokerProperties.get(name)?.default ?? definition.default;
  synonyms.push({ name, value, source: configSource.default });
  return synonyms;
}

/** The broker's property that has a topic property's default; others set it in another unit. */
function defaultName({ name, brokerDefaults }: TopicPropertyDefinition): string {
  return brokerDefaults.filter((each) => each.name !== name).at(-1)?.name ?? name;
}

/** As in Kafka these are null while they are not set: the default stands under another name. */
const withoutDefault: ReadonlySet<string> = new Set(
  topicProperties.flatMap((topic) =>
    topic.brokerDefaults.flatMap(({ name }) => (name === defaultName(topic) ? [] : [name])),
  ),
);

function brokerConfigs(name: string, cluster: ClusterResources) {
  const { nodeId } = cluster;
  const properties = cluster.properties('DESCRIBE_CONFIGS');
  if (name !== '' && name !== String(nodeId)) {
    const text = `this is broker ${nodeId}, not ${name}`;
    throw new ApiError(ErrorCode.INVALID_REQUEST, text);
  }
  return [...brokerProperties.values()].map((definition) => {
    const set = properties[definition.name];
    const source = set === undefined ? 'default' : 'broker';
    const byDefault = withoutDefault.has(definition.name) ? null : definition.default;
    const synonyms: Synonym[] = [];
    const add = (value: string | null | undefined, from: number) => {
      if (value != null) synonyms.push({ name: definition.name, value, source: from });
    };
    add(set, configSource.broker);
    add(byDefault, configSource.default);
    return { ...common(definition, set ?? byDefault, source), readOnly: true, synonyms };
  });
}

function common(
  { name, type, doc }: PropertyDefinition,
  value: string | null,
  source: keyof typeof configSource,
) {
  return {
    name,
    value,
    configSource: configSource[source],
    isDefault: source === 'default',
    isSensitive: false,
    configType: propertyTypes[type],
    documentation: doc,
  };
}
