import { type OptionRules, rule } from '../../config/options/index.js';
import { CODECS } from '../../protocol/records/index.js';
import { checkOptions, clusterRules, invalidOption } from '../options/index.js';

/** What a producer takes; see ProducerOptions. */
export const producerRules: OptionRules = {
  ...clusterRules,
  acks: rule.oneOf('all', 1, 0),
  idempotent: rule.flag,
  compression: rule.oneOf(...CODECS),
  compressionLevel: rule.count(-1, 22),
  lingerMs: rule.duration(0),
  batchBytes: rule.count(256),
  maxRequestBytes: rule.count(256),
  maxMemoryBytes: rule.amount(256),
  whenFull: rule.oneOf('wait', 'fail'),
  maxBlockMs: rule.amount(0),
  retries: rule.amount(0),
  deliveryTimeoutMs: rule.amount(0),
  waitsWhenRefused: rule.flag,
  restampsWhenRefused: rule.flag,
  maxInFlight: rule.count(1),
  partitioner: rule.either(
    rule.callback,
    rule.oneOf('default', 'key', 'sticky', 'roundRobin', 'random', 'explicit'),
  ),
  interceptors: rule.list(rule.record(rule.anything)),
  values: rule.having('a ValueTypes: new ValueTypes([…])', 'encode', 'restore'),
};

const timestampRule = rule.count(0);
const recordRules: OptionRules = {
  topic: rule.text,
  partition: rule.count(0),
  key: rule.anything,
  value: rule.anything,
  headers: rule.anything,
  timestamp: (value) => {
    const fault = timestampRule(value);
    return fault === undefined ? undefined : `(milliseconds since the epoch) ${fault}`;
  },
};

/**
 * Throws ClientError INVALID_OPTION for what is no record: another client's shape, a name that is
 * misspelt, no value at all. Its fields' contents are looked at when it is serialized.
 */
export function checkRecord(record: unknown): void {
  if (isRecord(record)) return;
  if (Array.isArray(record)) throw invalidOption('send takes a list of records, not of lists');
  checkOptions('a record to send', record, recordRules, ['topic']);
  const hint = 'null writes a record without one (a tombstone)';
  throw invalidOption(`a record to send: value is missing; ${hint}`);
}

/** The same question without words: it is asked of every record. */
function isRecord(record: unknown): boolean {
  if (typeof record !== 'object' || record === null) return false;
  let hasTopic = false;
  let hasValue = false;
  for (const name in record) {
    const field: unknown = (record as Record<string, unknown>)[name];
    switch (name) {
      case 'topic':
        hasTopic = typeof field === 'string' && field !== '';
        break;
      case 'value':
        hasValue = field !== undefined;
        break;
      case 'key':
      case 'headers':
        break;
      case 'partition':
        if (field !== undefined && typeof field !== 'number') return false;
        break;
      case 'timestamp':
        if (field !== undefined && timestampRule(field) !== undefined) return false;
        break;
      default:
        if (field !== undefined) return false;
    }
  }
  return hasTopic && hasValue;
}
