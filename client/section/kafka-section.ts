import { z } from '../../config/index.js';
import { parseBrokerAddress } from '../bootstrap.js';

const brokerAddress = z
  .string()
  .refine(isBrokerAddress, { error: 'must be the address of a broker as host:port' });

/** The section `kafka` of the YAML: which cluster agent and sinks talk to. */
export const kafkaSection = z.strictObject({
  bootstrap: z
    .array(brokerAddress)
    .min(1, { error: 'must name at least one broker' })
    .describe('Some brokers of the cluster as `host:port`; the others are learned from them.'),
  client_id: z
    .string()
    .min(1)
    .default('logflume')
    .describe(
      'Whom brokers name in their logs and metrics: the agent goes by `<client_id>-agent`, ' +
        'a sink by `<client_id>-<its name>`.',
    ),
});

/** The section, parsed. */
export type KafkaConfig = z.output<typeof kafkaSection>;

/** The name under which a part of ours talks to the brokers. */
export function clientIdOf({ client_id }: Partial<KafkaConfig>, part: string): string {
  return `${client_id ?? 'logflume'}-${part}`;
}

function isBrokerAddress(text: string): boolean {
  try {
    parseBrokerAddress(text);
    return true;
  } catch {
    return false;
  }
}
