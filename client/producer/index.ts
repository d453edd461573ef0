export {
  BatchError,
  DeliveryError,
  ProducerError,
  type ProducerErrorCode,
} from './errors.js';
export {
  CounterInterceptor,
  type Interceptor,
  timestampInterceptor,
} from './interceptors/index.js';
export { murmur2, partitionOfKey } from './murmur2.js';
export type { ProducerOptions } from './options.js';
export type { Partitioner, PartitionerInput } from './partitioner.js';
export { Producer, type ProducerSystem, type SendCallback } from './producer.js';
export type { HeadersInput, ProducerRecord, RecordMetadata } from './record.js';
export type { PartitionTarget } from './target.js';
export type { BatchCallback, BatchFailure, BatchTicket } from './ticket.js';
