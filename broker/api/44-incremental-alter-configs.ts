import {
  ErrorCode,
  IncrementalAlterConfigs,
  type IncrementalAlterConfigsRequest,
} from '../../protocol/index.js';
import { ApiError } from '../broker-error.js';
import { handler, type RequestContext } from '../handler.js';
import {
  effectiveTopicProperties,
  type Properties,
  topicPropertiesByName,
} from '../properties/index.js';
import { resourceType } from './config-source.js';
import { errorCodeOf, messageOf } from './error-code.js';

type Resource = IncrementalAlterConfigsRequest['resources'][number];
type Operation = Resource['configs'][number];

/** The operations of KIP-339; the last two are for lists. */
const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

export const incrementalAlterConfigs = handler(
  IncrementalAlterConfigs,
  async (request, context) => {
    const { resources, validateOnly } = request;
    const results = resources.map((resource) => alter(resource, validateOnly, context));
    return { responses: await Promise.all(results) };
  },
);

async function alter(resource: Resource, validateOnly: boolean, { topics }: RequestContext) {
  const named = { resourceType: resource.resourceType, resourceName: resource.resourceName };
  try {
    if (resource.resourceType !== resourceType.topic) {
      const text = "only topics are altered; the broker's own properties are in its YAML";
      throw new ApiError(ErrorCode.INVALID_REQUEST, text);
    }
    const change = (before: Properties) => apply(before, resource.configs, topics.defaults);
    await topics.configure(resource.resourceName, change, validateOnly);
    return { errorCode: ErrorCode.NONE, errorMessage: null, ...named };
  } catch (error) {
    return { errorCode: errorCodeOf(error), errorMessage: messageOf(error), ...named };
  }
}

function apply(
  before: Properties,
  operations: readonly Operation[],
  broker: Properties,
): Properties {
  const after: Record<string, string> = { ...before };
  for (const { name, configOperation, value } of operations) {
    if (configOperation === DELETE) delete after[name];
    else if (value === null) throw new ApiError(ErrorCode.INVALID_CONFIG, `${name} has no value`);
    else if (configOperation === SET) after[name] = value;
    else after[name] = changeList(name, configOperation, value, after, broker);
  }
  return after;
}

function changeList(
  name: string,
  operation: number,
  value: string,
  topic: Properties,
  broker: Properties,
): string {
  const isList = topicPropertiesByName.get(name)?.type === 'list';
  if (!isList || (operation !== APPEND && operation !== SUBTRACT)) {
    const text = `operation ${operation} is not possible with ${name}`;
    throw new ApiError(ErrorCode.INVALID_CONFIG, text);
  }
  const words = effectiveTopicProperties(topic, broker).get(name)?.value.split(',') ?? [];
  const changed = value.split(',');
  const rest = words.filter((word) => !changed.includes(word));
  return (operation === APPEND ? [...rest, ...changed] : rest).join(',');
}
