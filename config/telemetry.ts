import { address } from './primitives.js';
import { z } from './zod.js';

/** The `telemetry:` section: where a role's process serves `/metrics` and `/health`. */
export const telemetrySection = z
  .strictObject({
    listen: address().describe(
      'Where /metrics (Prometheus) and /health are served; port 0 takes any free one. ' +
        'With `logflume up` each role has its own: the broker this port, the agent the next ' +
        'one, the sinks the one after that.',
    ),
  })
  .describe('Metrics and health of each role; off when the section is absent.');

export type TelemetryConfig = z.output<typeof telemetrySection>;
