import { componentOf, oneOf, z } from '../config/index.js';
import { commonFields } from './common-options.js';
import { type SinkComponents, sinkComponents, sinksOf } from './components.js';
import type { SinkArchive } from './sink.js';

const sinkName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/,
    'must begin with a letter or digit and hold only letters, digits, - and _',
  );

/** The `sinks:` section: sinks by name, of these types. */
export function sinksSection(components: SinkComponents = sinkComponents) {
  return z
    .record(sinkName, oneOf(sinksOf(components), commonFields, 'sharedFirst'))
    .superRefine((sinks, context) => {
      for (const { path, message } of sharedArchives(sinks, components)) {
        context.addIssue({ code: 'custom', path: [...path], message });
      }
    })
    .describe(
      'Where topics go. The name of a sink is part of its consumer group, logflume-<name>.',
    );
}

export type SinksConfig = z.output<ReturnType<typeof sinksSection>>;
export type SinkConfig = SinksConfig[string];

/** The archives of these sinks, by the names of the sinks. */
export function archivesOf(
  config: SinksConfig,
  components: SinkComponents = sinkComponents,
): Map<string, SinkArchive> {
  const sinks = sinksOf(components);
  const archives = new Map<string, SinkArchive>();
  for (const [name, options] of Object.entries(config)) {
    const archive = componentOf(sinks, options).archive?.(options);
    if (archive !== undefined) archives.set(name, archive);
  }
  return archives;
}

/** Archives that would take in the same topic of the same cluster twice. */
function* sharedArchives(config: SinksConfig, components: SinkComponents) {
  const sinksByContent = new Map<string, string>();
  for (const [name, { place, optionPath }] of archivesOf(config, components)) {
    const { topics = [], kafka } = config[name] ?? {};
    const { id, option } = place;
    for (const topic of new Set(topics)) {
      const cluster = kafka?.bootstrap.toSorted().join() ?? '';
      const content = JSON.stringify([id, cluster, topic]);
      const other = sinksByContent.get(content);
      if (other === undefined) sinksByContent.set(content, name);
      else {
        const message =
          `is the archive of the sink "${other}" too, and both take topic ${topic}: every record ` +
          `would be there twice; give one of them another ${option}`;
        yield { path: [name, ...optionPath, option], message };
      }
    }
  }
}
