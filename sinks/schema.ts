import { z } from '../config/index.js';
import { archiveSchema } from './archive/index.js';
import { httpSchema } from './http/index.js';

const sinkName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/,
    'must begin with a letter or digit and hold only letters, digits, - and _',
  );

/** The `sinks:` section: sinks by name. Every kind of sink stands in this list. */
export const sinksSection = z
  .record(sinkName, z.discriminatedUnion('type', [archiveSchema, httpSchema]))
  .describe('Where topics go. The name of a sink is part of its consumer group, logflume-<name>.');

export type SinksConfig = z.output<typeof sinksSection>;
export type SinkConfig = SinksConfig[string];
