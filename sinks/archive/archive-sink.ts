import { join } from 'node:path';
import type { PartitionFeed } from '../feed.js';
import type { Assignment, Sink, SinkContext } from '../sink.js';
import { replacedIds, streamName } from '../streams.js';
import type { PartitionWorker } from '../worker.js';
import type { ContentSettings, Rotation } from './claims/index.js';
import { LiveFiles } from './live-encoder.js';
import type { ArchiveConfig } from './options.js';
import { PartitionWriter } from './partition-writer.js';
import { openStore } from './store-options.js';
import type { Store } from './stores/index.js';

/** Each takes up to half a megabyte and a file descriptor. */
const LIVE_FILES = 64;
const SPOOL_DIRECTORY = 'spool';
/** A mail is a file: a claim names every one of them. */
const MAILS_PER_CLAIM = 1000;

/** `type: archive`: topics into files, each record exactly once. */
export class ArchiveSink implements Sink {
  readonly maxBytes: number;
  readonly #context: SinkContext;
  readonly #config: ArchiveConfig;
  readonly #store: Store;
  readonly #liveFiles = new LiveFiles(LIVE_FILES);

  private constructor(context: SinkContext, config: ArchiveConfig, store: Store) {
    this.#context = context;
    this.#config = config;
    this.#store = store;
    this.maxBytes = config.max_bytes;
  }

  static async open(context: SinkContext, config: ArchiveConfig): Promise<ArchiveSink> {
    const { system, name, instance } = context;
    const store = openStore(system, config.store, `${name}-${instance}`);
    // Left by a process that was killed; nobody else builds files there.
    await system.disk.removeTree(store.stagingDirectory);
    return new ArchiveSink(context, config, store);
  }

  createWorker(assignment: Assignment, feed: PartitionFeed): PartitionWorker {
    const { system, name, instance, from, acceptGap, onArrived, directory } = this.#context;
    return new PartitionWriter({
      system,
      store: this.#store,
      id: { sink: this.#config.continues ?? name, ...assignment },
      config: {
        settings: contentSettings(this.#config),
        rotation: rotationOf(this.#config),
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

function rotationOf({ rotate, format }: ArchiveConfig): Rotation {
  const { size: sizeBytes, age: ageMs, first: firstMs, idle: idleMs } = rotate;
  const records = rotate.records ?? (format === 'eml' ? MAILS_PER_CLAIM : undefined);
  return { sizeBytes, records, ageMs, firstMs, idleMs };
}
