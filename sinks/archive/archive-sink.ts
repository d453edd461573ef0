import { join } from 'node:path';
import { componentOf } from '../../config/index.js';
import type { PartitionFeed } from '../feed.js';
import type { Assignment, Sink, SinkComponent, SinkContext, SinkParts } from '../sink.js';
import { replacedIds, streamName } from '../streams.js';
import type { PartitionWorker } from '../worker.js';
import type { ContentSettings, Rotation } from './claims/index.js';
import { type Formats, formats as formatComponents, madeOf } from './formats/index.js';
import { LiveFiles } from './live-encoder.js';
import { type ArchiveConfig, archiveOptions } from './options.js';
import { PartitionWriter } from './partition-writer.js';
import { type Store, storeComponents } from './stores/index.js';

/** Each takes up to half a megabyte and a file descriptor. */
const LIVE_FILES = 64;
const SPOOL_DIRECTORY = 'spool';

const example = `
kafka: { bootstrap: [logs.internal:9092] }
sinks:
  archive:
    type: archive
    topics: [app-logs]
    store: { type: local, root: /srv/archive }
    format: lines
    file_per: key
    compression: zstd
    rotate: { size: 128MiB, age: 10m, first: 5s, idle: 30s }
  letters:
    type: archive
    topics: [mail]
    store: { type: local, root: /srv/letters }
    format: eml
`;

/** `type: archive`, with the stores and formats that come with logflume. */
export const archive = archiveOf({ stores: storeComponents, formats: formatComponents });

function archiveOf({ stores, formats: components }: SinkParts): SinkComponent {
  const formats = madeOf(components);
  const schema = archiveOptions(stores, components, formats);
  return {
    type: 'archive',
    schema,
    example,
    withParts: archiveOf,
    async create(options, context) {
      const { system, name, instance } = context;
      const component = componentOf(stores, options.store);
      const store = component.create(options.store, { system, writer: `${name}-${instance}` });
      // Left by a process that was killed; nobody else builds files there.
      await system.disk.removeTree(store.stagingDirectory);
      return new ArchiveSink(context, options, store, formats);
    },
    archive({ store, continues, format, file_per: filePer }) {
      const component = componentOf(stores, store);
      return {
        place: component.place(store),
        open: (context) => component.create(store, context),
        optionPath: ['store'],
        continues,
        format,
        filePer,
      };
    },
  } satisfies SinkComponent<typeof schema>;
}

/** Topics into files, each record exactly once. */
class ArchiveSink implements Sink {
  readonly maxBytes: number;
  readonly #context: SinkContext;
  readonly #config: ArchiveConfig;
  readonly #store: Store;
  readonly #formats: Formats;
  readonly #liveFiles = new LiveFiles(LIVE_FILES);

  constructor(context: SinkContext, config: ArchiveConfig, store: Store, formats: Formats) {
    this.#context = context;
    this.#config = config;
    this.#store = store;
    this.#formats = formats;
    this.maxBytes = config.max_bytes;
  }

  createWorker(assignment: Assignment, feed: PartitionFeed): PartitionWorker {
    const { system, name, instance, from, acceptGap, onArrived, directory } = this.#context;
    return new PartitionWriter({
      system,
      store: this.#store,
      formats: this.#formats,
      id: { sink: this.#config.continues ?? name, ...assignment },
      config: {
        settings: contentSettings(this.#config),
        rotation: rotationOf(this.#config, this.#formats),
        writer: `${system.processes.hostname()} ${instance}`,
        acceptGap,
      },
      feed,
      from,
      spoolDirectory: join(directory, SPOOL_DIRECTORY, streamName(assignment)),
      liveFiles: this.#liveFiles,
      onArchived: (records, bytes) => onArrived({ records, bytes }),
    });
  }

  async leftovers(assignment: Assignment): Promise<string[]> {
    const { disk } = this.#context.system;
    const parent = join(this.#context.directory, SPOOL_DIRECTORY);
    if ((await disk.stat(parent)) === undefined) return [];
    const found: string[] = [];
    for (const topicId of replacedIds(await disk.list(parent), assignment)) {
      const directory = join(parent, streamName({ ...assignment, topicId }));
      for (const spool of await disk.list(directory)) {
        const stat = await disk.stat(join(directory, spool));
        if (stat !== undefined && stat.size > 0) found.push(topicId);
      }
    }
    return found;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function contentSettings(config: ArchiveConfig): ContentSettings {
  const { format, file_per: filePer, compression } = config;
  return { format, filePer, compression };
}

function rotationOf({ rotate, format }: ArchiveConfig, formats: Formats): Rotation {
  const { size: sizeBytes, age: ageMs, first: firstMs, idle: idleMs } = rotate;
  const records = rotate.records ?? formats.get(format)?.cutRecords;
  return { sizeBytes, records, ageMs, firstMs, idleMs };
}
