export { encodeHeaders } from '../protocol/records/index.js';
export {
  Admin,
  type AdminOptions,
  type ClusterDescription,
  type ConfigChanges,
  type ConfigEntry,
  type ConfigResource,
  type GroupDescription,
  type GroupListing,
  type GroupMemberDescription,
  type NewTopic,
} from './admin/index.js';
export { Cluster, type ClusterOptions } from './cluster.js';
export {
  type AutoOffsetReset,
  type BatchStream,
  Consumer,
  type ConsumerOptions,
  type ConsumerSettings,
  type FetchedBatch,
  type Message,
  NoOffsetError,
  type PartitionLag,
  type Position,
  type RunOptions,
  type Subscription,
  type TopicPartition,
  type TopicPartitionOffset,
} from './consumer/index.js';
export {
  BrokerError,
  ClientError,
  ClosedError,
  ConnectError,
  ConnectionClosedError,
  GaveUpError,
  RequestTimeoutError,
  UnsupportedVersionError,
} from './errors.js';
export { ClientEmitter, type ClientEvents } from './events.js';
export type { ClusterImage, Node, PartitionMetadata, TopicMetadata } from './metadata.js';
export {
  EARLIEST_TIMESTAMP,
  type FoundOffset,
  LATEST_TIMESTAMP,
  type OffsetQuery,
} from './offsets.js';
export * from './producer/index.js';
export * from './values/index.js';
