export { Broker, type BrokerStatus } from './broker.js';
export type { Change, Json, MetadataStore, Versioned } from './metadata/index.js';
export type { BrokerOptions, PropertyValue, TopicOptions } from './options.js';
export type { ListenerOptions } from './server.js';
