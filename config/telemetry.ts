import { address } from './primitives.js';
import { z } from './zod.js';

/** The `telemetry:` section: where a role's process serves `/metrics` and `/health`. */
export const telemetrySection = z
  .strictObject({
    listen: address().describe(
      'Where /metrics (Prometheus) and /health are served; port 0 takes any free one.',
    ),
  })
  .describe('Metrics and health of each role; off when the section is absent.');

export type TelemetryConfig = z.output<typeof telemetrySection>;
