import { type OptionRules, type Rule, rule } from '../../config/options/index.js';
import { checkOptions, checkValue, clusterRules, partitionRule } from '../options/index.js';

const MAX_INT32 = 0x7fffffff;

/** What a consumer takes; see ConsumerSettings. */
const consumerRules: OptionRules = {
  ...clusterRules,
  cluster: rule.having('a Cluster', 'refresh', 'connection'),
  groupId: rule.text,
  groupInstanceId: rule.text,
  assignors: rule.list(rule.oneOf('range', 'roundrobin', 'sticky')),
  sessionTimeoutMs: rule.count(1, MAX_INT32),
  heartbeatIntervalMs: rule.count(1, MAX_INT32),
  rebalanceTimeoutMs: rule.count(1, MAX_INT32),
  autoCommit: rule.flag,
  autoCommitIntervalMs: rule.duration(1),
  autoOffsetReset: rule.oneOf('earliest', 'latest', 'error'),
  isolationLevel: rule.oneOf('read_uncommitted', 'read_committed'),
  minBytes: rule.count(0, MAX_INT32),
  maxWaitMs: rule.count(0, MAX_INT32),
  maxBytes: rule.count(1, MAX_INT32),
  maxPartitionBytes: rule.count(1, MAX_INT32),
  prefetchBytes: rule.amount(1),
  maxBatchBytes: rule.count(1),
  checkCrcs: rule.flag,
  values: rule.having('a ValueTypes: new ValueTypes([…])', 'encode', 'restore'),
};

const subscriptionRules: OptionRules = {
  topics: rule.list(rule.text, 1),
  onAssign: rule.callback,
  onRevoke: rule.callback,
};

const runRules: OptionRules = { onMessage: rule.callback, streams: rule.count(1) };

const positionRule: Rule = rule.either(
  rule.count(0),
  rule.either(rule.oneOf('beginning', 'end'), (value) => {
    const { timestamp } = (value ?? {}) as { readonly timestamp?: unknown };
    const isTime = typeof value === 'object' && Number.isSafeInteger(timestamp);
    return isTime ? undefined : "must be an offset, 'beginning', 'end' or { timestamp: ms }";
  }),
);

const namedPartitions = rule.list(partitionRule());
const committedOffsets = rule.list(partitionRule({ offset: rule.count(0) }, ['offset']));
const assignedPartitions = rule.list(partitionRule({ position: positionRule }));

// Each throws ClientError INVALID_OPTION, with a sentence that names ours.

export function checkConsumer(options: unknown): void {
  const isShared = (options as { cluster?: unknown } | undefined)?.cluster !== undefined;
  checkOptions('consumer', options, consumerRules, isShared ? [] : ['bootstrap']);
}

export function checkSubscription(subscription: unknown): void {
  checkOptions('subscribe', subscription, subscriptionRules, ['topics']);
}

export function checkRun(options: unknown): void {
  checkOptions('run', options, runRules, ['onMessage']);
}

export function checkAssignment(partitions: unknown): void {
  checkValue('the partitions of assign', partitions, assignedPartitions);
}

export function checkPartitions(partitions: unknown, what: string): void {
  checkValue(`the partitions of ${what}`, partitions, namedPartitions);
}

export function checkOffsets(offsets: unknown): void {
  checkValue('the offsets of commit', offsets, committedOffsets);
}

export function checkSeek(at: unknown, position: unknown): void {
  checkValue('the partition of seek', at, partitionRule());
  checkValue('the position of seek', position, positionRule);
}
