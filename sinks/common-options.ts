import { kafkaSection } from '../client/section/index.js';
import { topicName, z } from '../config/index.js';

/** What every sink is asked. */
export const commonFields = {
  topics: z
    .array(topicName())
    .min(1)
    .describe('Topics to read. One that is missing is looked for every second.'),
  from: z
    .enum(['earliest', 'latest'])
    .default('earliest')
    .describe('Where a topic begins that this sink has never read.'),
  kafka: kafkaSection.optional().describe('Another cluster than that of the `kafka` section.'),
};
