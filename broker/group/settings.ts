/** The broker's `group.*` settings, in Kafka's meaning. */
export interface GroupSettings {
  /** `group.min.session.timeout.ms` and `group.max.session.timeout.ms`. */
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** `group.max.size`: members a group may have. */
  readonly maxSize: number;
  /** `group.initial.rebalance.delay.ms`: how long the first join phase waits for more members. */
  readonly initialRebalanceDelayMs: number;
}

/** The group coordinator's settings: Kafka's names and defaults, units last. */
export interface CoordinatorSettings extends GroupSettings {
  /** `offsets.retention.minutes`: how long a group without members keeps its offsets. */
  readonly offsetsRetentionMs: number;
  /** `offsets.retention.check.interval.ms` */
  readonly offsetsRetentionCheckIntervalMs: number;
}

export const defaultCoordinatorSettings: CoordinatorSettings = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  maxSize: 2_147_483_647,
  initialRebalanceDelayMs: 0,
  offsetsRetentionMs: 10_080 * 60_000,
  offsetsRetentionCheckIntervalMs: 600_000,
};
