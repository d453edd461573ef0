export type { TopicPartition, TopicPartitionOffset } from '../topic-partition.js';
export { commitOffsets, fetchAllCommitted } from './committer.js';
export {
  Consumer,
  type PartitionLag,
  type RunOptions,
  type Subscription,
} from './consumer.js';
export type { FetchedBatch } from './fetched-batch.js';
export type { Message } from './message.js';
export { NoOffsetError, type Position } from './positions.js';
export type { AutoOffsetReset, ConsumerOptions, ConsumerSettings } from './settings.js';
export type { BatchStream } from './streams.js';
