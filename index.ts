/** The library: clients of any Kafka, and a broker to embed. */
export { Broker, type BrokerOptions } from './broker/index.js';
export * from './client/index.js';
