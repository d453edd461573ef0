export { brokerProperties } from './broker.js';
export { type PropertyDefinition, propertyTypes } from './definition.js';
export { renamed } from './other-names.js';
export {
  type BrokerSettings,
  brokerPropertyProblems,
  brokerSettings,
  type EffectiveValue,
  effectiveTopicProperties,
  type Properties,
  type PropertyProblem,
  type TopicSettings,
  topicPropertyProblems,
  topicSettings,
} from './settings.js';
export {
  type TopicPropertyDefinition,
  topicProperties,
  topicPropertiesByName,
} from './topic.js';
