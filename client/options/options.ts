import { faultOf, type OptionRules, type Rule, rule } from '../../config/options/index.js';
import { ClientError } from '../connection/index.js';
import { foreignNames } from './foreign-names.js';

/** What every client takes; see ClusterOptions. */
export const clusterRules: OptionRules = {
  bootstrap: bootstrapRule,
  clientId: rule.text,
  connectTimeoutMs: rule.duration(1),
  requestTimeoutMs: rule.duration(1),
  metadataMaxAgeMs: rule.duration(1),
  retryBackoffMs: rule.duration(1),
  retryBackoffMaxMs: rule.duration(1),
  maxResponseBytes: rule.count(1),
};

const topicPartitionRules: OptionRules = {
  topic: rule.text,
  partition: rule.count(0),
};

/** A topic and a partition, and what else `more` names. */
export function partitionRule(more: OptionRules = {}, required: readonly string[] = []): Rule {
  const rules = { ...topicPartitionRules, ...more };
  const asked = { required: ['topic', 'partition', ...required], names: foreignNames };
  return (value) => {
    const fault = faultOf('a partition', value, rules, asked);
    return fault === undefined ? undefined : `is not right: ${fault}`;
  };
}

/** Throws ClientError INVALID_OPTION where an option is unknown, missing or of a wrong kind. */
export function checkOptions(
  where: string,
  options: unknown,
  rules: OptionRules,
  required: readonly string[] = [],
): void {
  const fault = faultOf(where, options, rules, { required, names: foreignNames });
  if (fault !== undefined) throw invalidOption(fault);
}

/** Throws ClientError INVALID_OPTION where an argument is of a wrong kind. */
export function checkValue(what: string, value: unknown, check: Rule): void {
  const fault = check(value);
  if (fault !== undefined) throw invalidOption(`${what}${/^[[.]/.test(fault) ? '' : ' '}${fault}`);
}

export function invalidOption(message: string): ClientError {
  return new ClientError('INVALID_OPTION', message, false);
}

/** Addresses in a list; a text is told how to become one. */
export function bootstrapRule(value: unknown): string | undefined {
  if (typeof value === 'string') {
    const addresses = value.split(',').map((each) => `'${each.trim()}'`);
    return `is a list of addresses here: write bootstrap: [${addresses.join(', ')}]`;
  }
  return rule.list(rule.text)(value);
}
