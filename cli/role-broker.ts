import { join } from 'node:path';
import { Broker } from '../broker/index.js';
import { type BrokerConfig, brokerOptions, brokerSection } from '../broker/section/index.js';
import { formatAddress } from '../config/index.js';
import type { Role } from './role-model.js';

/** The broker as a role: nothing is left to be finished when it is asked to stop. */
export const brokerRole: Role = {
  name: 'broker',
  components: {},
  section: () => brokerSection,
  kafka: undefined,
  async start(system, sections) {
    // The section has been parsed with this very schema.
    const config = sections.section as BrokerConfig;
    const options = brokerOptions(config, join(sections.data_dir, 'broker'));
    const broker = await Broker.start(options, system);
    const host = config.listeners[0]?.listen.host ?? '127.0.0.1';
    return {
      address: broker.address,
      listen: formatAddress({ host, port: broker.port }),
      drain: () => Promise.resolve(true),
      stop: () => broker.stop(),
      status: () => broker.status(),
    };
  },
};
