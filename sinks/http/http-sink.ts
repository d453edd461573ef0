import { join } from 'node:path';
import type { PartitionFeed } from '../feed.js';
import type { Assignment, Sink, SinkContext } from '../sink.js';
import { replacedIds, streamName } from '../streams.js';
import type { PartitionWorker } from '../worker.js';
import { Courier } from './courier.js';
import { DeadLetters } from './dead-letters.js';
import { Destination } from './destination.js';
import type { HttpConfig } from './options.js';
import { Outbox, PARCEL_SUFFIX } from './outbox.js';
import { PartitionSender } from './partition-sender.js';

const OUTBOX_DIRECTORY = 'outbox';

/** `type: http`: records to an endpoint, at least once. */
export class HttpSink implements Sink {
  readonly maxBytes: number;
  readonly #context: SinkContext;
  readonly #config: HttpConfig;
  readonly #destination: Destination;
  readonly #deadLetters: DeadLetters | undefined;

  constructor(context: SinkContext, config: HttpConfig) {
    const { system, clientId, bootstrap } = context;
    this.#context = context;
    this.#config = config;
    this.maxBytes = config.max_bytes;
    const headers: Record<string, string> = {};
    for (const [header, secret] of Object.entries(config.headers)) {
      headers[header.toLowerCase()] = secret.reveal();
    }
    const { url, timeout: timeoutMs } = config;
    if (url.credentials !== undefined) {
      headers.authorization ??= `Basic ${base64(url.credentials.reveal())}`;
    }
    this.#destination = new Destination({ system, url: url.reveal(), headers, timeoutMs });
    const topic = config.dead_letter;
    this.#deadLetters =
      topic === undefined ? undefined : new DeadLetters(system, bootstrap, clientId, topic);
  }

  createWorker(assignment: Assignment, feed: PartitionFeed): PartitionWorker {
    const { system, name, directory, from, acceptGap, onArrived } = this.#context;
    const { format, batch } = this.#config;
    const { topic, topicId, partition } = assignment;
    const outbox = new Outbox(
      system.disk,
      join(directory, OUTBOX_DIRECTORY),
      streamName(assignment),
    );
    const courier = new Courier({
      sink: name,
      topic,
      topicId,
      partition,
      destination: this.#destination,
      outbox,
      feed,
      deadLetters: this.#deadLetters,
      deadLetterLimit: this.#config.dead_letter_limit,
      onArrived,
    });
    return new PartitionSender({
      system,
      id: `sink ${name}, topic ${topic}, partition ${partition}`,
      feed,
      outbox,
      courier,
      from,
      format,
      batchRecords: batch.records,
      batchBytes: batch.bytes,
      lingerMs: batch.linger,
      acceptGap,
    });
  }

  async leftovers(assignment: Assignment): Promise<string[]> {
    const { disk } = this.#context.system;
    const directory = join(this.#context.directory, OUTBOX_DIRECTORY);
    if ((await disk.stat(directory)) === undefined) return [];
    const parcels = (await disk.list(directory)).filter((name) => name.endsWith(PARCEL_SUFFIX));
    const streams = parcels.map((name) => name.slice(0, -PARCEL_SUFFIX.length));
    return replacedIds(streams, assignment);
  }

  async close(): Promise<void> {
    await this.#deadLetters?.close();
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
