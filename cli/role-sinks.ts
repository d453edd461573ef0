import { kafkaSection } from '../client/index.js';
import { sinksSection } from '../sinks/index.js';
import type { Role } from './role-model.js';

/** The sinks as a role. */
export const sinksRole: Role = {
  name: 'sinks',
  section: sinksSection,
  kafka: kafkaSection,
  start() {
    return Promise.reject(new Error('the sinks are not there yet'));
  },
};
