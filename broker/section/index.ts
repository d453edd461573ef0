export { type BrokerConfig, brokerOptions, brokerSection } from './broker-section.js';
