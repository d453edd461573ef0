import { duration, size, z } from '../config/index.js';
import { sourceOptions } from './sources/index.js';

const sourceName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/,
    'must begin with a letter or digit and hold only letters, digits, - and _',
  );

const producer = z.strictObject({
  compression: z
    .enum(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    .default('lz4')
    .describe('How batches are compressed.'),
  acks: z
    .union([z.literal('all'), z.literal(1)])
    .default('all')
    .describe('Who must have a batch before positions move: all in-sync replicas, or the leader.'),
  linger: duration().prefault('20ms').describe('How long a line waits for company.'),
  batch_size: size().prefault('1MiB').describe('Largest batch, before compression.'),
  memory: size().prefault('32MiB').describe('When so much is unacknowledged, reading stops.'),
});

/** The `agent:` section. */
export const agentSection = z
  .strictObject({
    delivery: z
      .enum(['at_least_once', 'exactly_once'])
      .default('at_least_once')
      .refine((delivery) => delivery !== 'exactly_once', {
        error: 'exactly_once comes with a later version; until then use at_least_once',
      })
      .describe('At_least_once: a crash repeats at most what was in flight.'),
    producer: producer.prefault({}).describe('How records are sent.'),
    dead_letter: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,249}$/, 'must be the name of a topic')
      .optional()
      .describe(
        'Topic for records that the broker refuses for themselves, as too large or invalid; ' +
          'without it they go to `<data_dir>/agent/failed/`.',
      ),
    sources: z
      .record(sourceName, sourceOptions)
      .describe('Where records come from. The name of a source is part of its positions.'),
  })
  .describe('Reads files and mails on this machine and sends them to topics.');

export type AgentConfig = z.output<typeof agentSection>;
