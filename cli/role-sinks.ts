import { join } from 'node:path';
import { type KafkaConfig, kafkaSection } from '../client/section/index.js';
import { Sinks, type SinksConfig, sinkComponents, sinksSection } from '../sinks/index.js';
import type { Role } from './role-model.js';

/** The sinks as a role. */
export const sinksRole: Role = {
  name: 'sinks',
  components: sinkComponents,
  section: sinksSection,
  kafka: kafkaSection,
  async start(system, sections) {
    // Both sections have been parsed with these very schemas.
    const sinks = await Sinks.start(system, {
      config: sections.section as SinksConfig,
      kafka: sections.kafka as KafkaConfig,
      dataDir: join(sections.data_dir, 'sinks'),
      components: sections.components,
      acceptGap: sections.acceptGap,
    });
    return {
      address: undefined,
      listen: undefined,
      drain: (timeoutMs) => sinks.drain(timeoutMs),
      stop: () => sinks.stop(),
      status: () => sinks.status(),
    };
  },
};
