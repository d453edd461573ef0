import {
  type ComponentOptions,
  componentOf,
  duration,
  oneOf,
  size,
  topicName,
  z,
} from '../config/index.js';
import { CODECS } from '../protocol/records/index.js';
import { type InterceptorComponent, interceptors } from './interceptors/index.js';
import { type SourceComponent, sources } from './sources/index.js';

/** What a source or an interceptor may be. */
export interface AgentComponents {
  readonly sources: readonly SourceComponent[];
  readonly interceptors: readonly InterceptorComponent[];
}

/** Those that come with logflume. */
export const agentComponents: AgentComponents = { sources, interceptors };

const sourceName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/,
    'must begin with a letter or digit and hold only letters, digits, - and _',
  );

const producer = z.strictObject({
  compression: z.enum(CODECS).default('lz4').describe('How batches are compressed.'),
  acks: z
    .union([z.literal('all'), z.literal(1)])
    .default('all')
    .describe('Who must have a batch before positions move: all in-sync replicas, or the leader.'),
  linger: duration().prefault('20ms').describe('How long a line waits for company.'),
  batch_size: size()
    .refine((bytes) => bytes >= 256, { error: 'must be at least 256 bytes' })
    .prefault('1MiB')
    .describe('Largest batch, before compression; at most `memory`.'),
  memory: size()
    .prefault('32MiB')
    .describe('When so much is unacknowledged, reading stops; no line or mail may be larger.'),
});

/** One source in the YAML. */
function sourceOptions({ sources, interceptors }: AgentComponents) {
  return oneOf(sources, {
    interceptors: z.array(oneOf(interceptors, {})).default([]).describe('Applied in this order.'),
  });
}

/** The `agent:` section. */
export function agentSection(components: AgentComponents = agentComponents) {
  return z
    .strictObject({
      delivery: z
        .enum(['at_least_once', 'exactly_once'])
        .default('at_least_once')
        .refine((delivery) => delivery !== 'exactly_once', {
          error: 'exactly_once comes with a later version; until then use at_least_once',
        })
        .describe('At_least_once: a crash repeats at most what was in flight.'),
      producer: producer.prefault({}).describe('How records are sent.'),
      dead_letter: topicName()
        .optional()
        .describe(
          'Topic for records that the broker refuses for themselves, as too large or invalid; ' +
            'without it they go to `<data_dir>/agent/failed/`.',
        ),
      sources: z
        .record(sourceName, sourceOptions(components))
        .describe('Where records come from. The name of a source is part of its positions.'),
    })
    .superRefine(({ sources, producer }, context) => {
      for (const [name, source] of Object.entries(sources)) {
        const { option, bytes } = largestRecord(components, source);
        if (bytes <= producer.memory) continue;
        const message =
          `${option} (${bytes}) must not be more than producer.memory (${producer.memory}): ` +
          'what is larger could never be sent';
        context.addIssue({ code: 'custom', path: ['sources', name, option], message });
      }
    })
    .describe('Reads files and mails on this machine and sends them to topics.');
}

export type AgentConfig = z.output<ReturnType<typeof agentSection>>;

/** What key, headers and framing add to a value, generously. */
const overheadBytes = 1024 * 1024;
/** Requests of this size are taken by every broker; only larger records need larger ones. */
const usualRequestBytes = 8 * 1024 * 1024;

/** The largest request that the agent's producer has to send, bytes. */
export function maxRequestBytes(components: AgentComponents, { sources }: AgentConfig): number {
  const records = Object.values(sources).map((one) => largestRecord(components, one).bytes);
  return Math.max(usualRequestBytes, Math.max(0, ...records) + overheadBytes);
}

function largestRecord({ sources }: AgentComponents, options: ComponentOptions) {
  return componentOf(sources, options).largestRecord(options);
}
