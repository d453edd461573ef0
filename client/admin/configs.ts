import { DescribeConfigs, IncrementalAlterConfigs } from '../../protocol/index.js';
import type { Cluster } from '../cluster.js';
import { assertNoError } from '../errors.js';
import type { RetryOptions } from '../retry.js';
import { askController } from './controller.js';

/** What settings belong to. */
export interface ConfigResource {
  readonly type: 'topic' | 'broker';
  /** A topic's name, or a broker's id. */
  readonly name: string;
}

/** One setting. */
export interface ConfigEntry {
  readonly name: string;
  /** null where it is sensitive. */
  readonly value: string | null;
  /** Not set for this resource: the broker's, or Kafka's, default. */
  readonly isDefault: boolean;
  readonly isReadOnly: boolean;
  readonly isSensitive: boolean;
}

/** Changes to settings: those to set, and those to return to their defaults. */
export interface ConfigChanges {
  readonly set?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

const resourceTypes = { topic: 2, broker: 4 } as const;
/** Kafka's ConfigSource values for what somebody has set on the resource itself. */
const ownSources: readonly number[] = [1, 2];
const setOperation = 0;
const deleteOperation = 1;

export async function describeConfigs(
  cluster: Cluster,
  resource: ConfigResource,
  options: RetryOptions,
): Promise<ConfigEntry[]> {
  const what = `settings of ${resource.type} ${resource.name}`;
  const resourceType = resourceTypes[resource.type];
  const body = {
    resources: [{ resourceType, resourceName: resource.name, configurationKeys: null }],
    includeSynonyms: false,
    includeDocumentation: false,
  };
  const response = await cluster.retry(what, options, async () => {
    if (resource.type === 'topic') return cluster.askAny(DescribeConfigs, body);
    await cluster.refresh();
    return cluster.ask(Number(resource.name), DescribeConfigs, body);
  });
  const [result] = response.results;
  if (result === undefined) return [];
  assertNoError(result.errorCode, what, result.errorMessage);
  return result.configs.map(({ name, value, configSource, readOnly, isSensitive }) => ({
    name,
    value,
    isDefault: !ownSources.includes(configSource),
    isReadOnly: readOnly,
    isSensitive,
  }));
}

export async function alterConfigs(
  cluster: Cluster,
  resource: ConfigResource,
  changes: ConfigChanges,
  options: RetryOptions,
): Promise<void> {
  const what = `alter ${resource.type} ${resource.name}`;
  const set = Object.entries(changes.set ?? {}).map(([name, value]) => ({
    name,
    configOperation: setOperation,
    value,
  }));
  const remove = (changes.remove ?? []).map((name) => ({
    name,
    configOperation: deleteOperation,
    value: null,
  }));
  const resourceType = resourceTypes[resource.type];
  const response = await askController(cluster, what, options, IncrementalAlterConfigs, {
    resources: [{ resourceType, resourceName: resource.name, configs: [...set, ...remove] }],
    validateOnly: false,
  });
  for (const { errorCode, errorMessage } of response.responses) {
    assertNoError(errorCode, what, errorMessage);
  }
}
