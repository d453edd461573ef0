export { clientIdOf, type KafkaConfig, kafkaSection } from './kafka-section.js';
