import { resolve } from 'node:path';
import { z } from '../config/index.js';
import { archiveSchema } from './archive/index.js';
import { commonFields } from './common-options.js';
import { httpSink } from './destinations/index.js';

const sinkName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/,
    'must begin with a letter or digit and hold only letters, digits, - and _',
  );

const common = z.strictObject({ type: z.literal('http'), ...commonFields });
const extended: z.ZodType = common
  .safeExtend(httpSink.schema.shape)
  .describe(httpSink.schema.description ?? '');
// Its own options are known to itself alone.
const httpSchema = extended as typeof common;

/** The `sinks:` section: sinks by name. Every kind of sink stands in this list. */
export const sinksSection = z
  .record(sinkName, z.discriminatedUnion('type', [archiveSchema, httpSchema]))
  .superRefine((sinks, context) => {
    for (const { name, ...rest } of sharedRoots(sinks)) {
      context.addIssue({
        code: 'custom',
        path: [name, 'store', 'root'],
        message: sentenceOf(rest),
      });
    }
  })
  .describe('Where topics go. The name of a sink is part of its consumer group, logflume-<name>.');

export type SinksConfig = z.output<typeof sinksSection>;
export type SinkConfig = SinksConfig[string];

interface SharedRoot {
  readonly name: string;
  readonly other: string;
  readonly topic: string;
}

/** Archives that would take in the same topic of the same cluster twice. */
function sharedRoots(sinks: Readonly<Record<string, SinkConfig>>): SharedRoot[] {
  const found: SharedRoot[] = [];
  const roots = new Map<string, string>();
  for (const [name, sink] of Object.entries(sinks)) {
    if (sink.type !== 'archive') continue;
    for (const topic of new Set(sink.topics)) {
      const cluster = sink.kafka?.bootstrap.toSorted().join() ?? '';
      const place = JSON.stringify([resolve(sink.store.root), cluster, topic]);
      const other = roots.get(place);
      if (other === undefined) roots.set(place, name);
      else found.push({ name, other, topic });
    }
  }
  return found;
}

function sentenceOf({ other, topic }: Omit<SharedRoot, 'name'>): string {
  return (
    `is the archive of the sink "${other}" too, and both take topic ${topic}: every record would ` +
    'be there twice; give one of them another root'
  );
}
