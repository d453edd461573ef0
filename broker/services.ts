import type { System } from '../system/index.js';
import type { Authorizer } from './authorizer.js';
import type { GroupCoordinator } from './group/index.js';
import type { ClusterMetadata } from './metadata/index.js';
import type { Partitions } from './partitions.js';
import type { BrokerSettings, Properties } from './properties/index.js';
import type { Topics } from './topics.js';

/** What a broker is made of; handlers see it through broker/resources alone. */
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
  readonly authorizer: Authorizer;
}
