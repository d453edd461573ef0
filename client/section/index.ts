export { type KafkaConfig, kafkaSection } from './kafka-section.js';
