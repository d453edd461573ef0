import type { System } from '../system/index.js';
import type { GroupCoordinator } from './group/index.js';
import type { ClusterMetadata } from './metadata/index.js';
import type { Partitions } from './partitions.js';
import type { BrokerSettings, Properties } from './properties/index.js';
import type { Topics } from './topics.js';

/** What handlers may use of their broker. */
export interface BrokerServices {
  readonly system: System;
  readonly nodeId: number;
  readonly settings: BrokerSettings;
  /** The broker's properties as they were set. */
  readonly properties: Properties;
  readonly metadata: ClusterMetadata;
  readonly topics: Topics;
  readonly partitions: Partitions;
  readonly groups: GroupCoordinator;
}
