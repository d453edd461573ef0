import { join } from 'node:path';
import { Agent, type AgentConfig, agentComponents, agentSection } from '../agent/index.js';
import { type KafkaConfig, kafkaSection } from '../client/section/index.js';
import type { Role } from './role-model.js';

/** The agent as a role. */
export const agentRole: Role = {
  name: 'agent',
  components: agentComponents,
  section: agentSection,
  kafka: kafkaSection,
  async start(system, sections) {
    // Both sections have been parsed with these very schemas.
    const agent = await Agent.start(system, {
      config: sections.section as AgentConfig,
      kafka: sections.kafka as KafkaConfig,
      dataDir: join(sections.data_dir, 'agent'),
      components: sections.components,
    });
    return {
      address: undefined,
      listen: undefined,
      drain: (timeoutMs) => agent.drain(timeoutMs),
      stop: () => agent.stop(),
      status: () => agent.status(),
    };
  },
};
