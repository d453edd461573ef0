import type { Cluster, ClusterOptions } from '../cluster.js';
import { invalidOption } from '../options/index.js';
import type { ValueTypes } from '../values/index.js';
import type { Assignor } from './assignors/index.js';
import { checkConsumer } from './check.js';

/** What a consumer does where its position is not in the log, or where it has none. */
export type AutoOffsetReset = 'earliest' | 'latest' | 'error';

/** How a consumer behaves; everything has a default. */
export interface ConsumerSettings {
  /** Needed for `subscribe` and for commits. */
  readonly groupId?: string;
  /** Makes the member static (KIP-345): a restart within the session timeout moves nothing. */
  readonly groupInstanceId?: string;
  /** In order of preference; the group takes the first that all its members name. */
  readonly assignors: readonly Assignor['name'][];
  /** Without a heartbeat for this time the group goes on without this member. */
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** How long the group waits for this member to give up its partitions. */
  readonly rebalanceTimeoutMs: number;
  /** Commits what is processed: every `autoCommitIntervalMs`, at revocation and at the end. */
  readonly autoCommit: boolean;
  readonly autoCommitIntervalMs: number;
  readonly autoOffsetReset: AutoOffsetReset;
  readonly isolationLevel: 'read_uncommitted' | 'read_committed';
  /** The broker answers a fetch once it has this much, or after `maxWaitMs`. */
  readonly minBytes: number;
  readonly maxWaitMs: number;
  /** Bound of one answer, and of one partition in it; a single larger batch is still sent. */
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
  /** Bound of what is fetched and not yet handed to the application. */
  readonly prefetchBytes: number;
  /** Bound of what one compressed batch may grow to. */
  readonly maxBatchBytes: number;
  /** Compares each batch with its checksum. */
  readonly checkCrcs: boolean;
  /**
   * `run` restores values of these types as their classes, and passes over all others, which
   * `ValueTypes.skipped` counts. Without it values stay bytes.
   */
  readonly values?: ValueTypes;
}

/** Options of a consumer: its settings, and the cluster or how to find it. */
export type ConsumerOptions = Partial<ConsumerSettings> &
  (ClusterOptions | { readonly cluster: Cluster });

const kibi = 1024;
const mebi = kibi * kibi;

const defaults: ConsumerSettings = {
  assignors: ['range', 'roundrobin', 'sticky'],
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 3000,
  rebalanceTimeoutMs: 300_000,
  autoCommit: true,
  autoCommitIntervalMs: 5000,
  autoOffsetReset: 'latest',
  isolationLevel: 'read_uncommitted',
  minBytes: 1,
  maxWaitMs: 500,
  // A little less than 1 MiB: larger frames grow by copying, and their memory is not reused.
  maxBytes: 1000 * kibi,
  maxPartitionBytes: mebi,
  prefetchBytes: 16 * mebi,
  maxBatchBytes: 256 * mebi,
  checkCrcs: true,
};

/** The options with their defaults. Throws ClientError INVALID_OPTION. */
export function withDefaults(options: ConsumerOptions): ConsumerSettings {
  checkConsumer(options);
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const settings: ConsumerSettings = { ...defaults, ...given };
  if (settings.assignors.length === 0)
    throw invalidOption('consumer: assignors must name at least one');
  if (settings.heartbeatIntervalMs >= settings.sessionTimeoutMs) {
    throw invalidOption('consumer: heartbeatIntervalMs must be shorter than sessionTimeoutMs');
  }
  return settings;
}
