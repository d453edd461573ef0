import { join } from 'node:path';
import { type OptionsSchema, z } from '../../config/index.js';
import type { PartitionFeed } from '../feed.js';
import type { Assignment, Sink, SinkComponent, SinkContext } from '../sink.js';
import { replacedIds, streamName } from '../streams.js';
import type { PartitionWorker } from '../worker.js';
import { Courier } from './courier.js';
import { DeadLetters } from './dead-letters.js';
import type { Destination, DestinationComponent } from './destination.js';
import { type DeliveryOptions, deliveryFields } from './options.js';
import { Outbox, PARCEL_SUFFIX } from './outbox.js';
import { PartitionSender } from './partition-sender.js';
import { Repeater } from './repeater.js';
import { untilAborted } from './until-aborted.js';

const OUTBOX_DIRECTORY = 'outbox';
const CLOSE_LIMIT_MS = 3_000;

/**
 * The type of sink that brings records to such a destination, at least once and in order: cut,
 * stored, sent, divided where they are refused, put to the dead letters, committed. It adds the
 * options that all of them share: `batch`, `timeout`, `dead_letter`, `dead_letter_limit`,
 * `max_bytes`.
 */
export function deliverySink<Schema extends OptionsSchema>(
  component: DestinationComponent<Schema>,
): SinkComponent {
  const { type, schema, example } = component;
  const taken = Object.keys(schema._zod.def.shape).filter((name) => name in deliveryFields);
  if (taken.length > 0) {
    const names = taken.join(', ');
    throw new TypeError(
      `the schema of "${type}" has an option ${names}: all deliverySink types have that`,
    );
  }
  return {
    type,
    ...(example !== undefined && { example }),
    schema: withDeliveryFields(schema),
    create(options: DeliveryOptions & z.output<Schema>, context: SinkContext): Sink {
      const { system, name } = context;
      const { timeout: timeoutMs } = options;
      const destination = component.create(options, { system, name, timeoutMs });
      refuseUnlessDestination(type, destination);
      return new DeliverySink(context, options, destination);
    },
  };
}

/** By the zod that made it: an older one than ours may know nothing of `safeExtend`. */
function withDeliveryFields<Schema extends OptionsSchema>(schema: Schema): OptionsSchema {
  const { def } = schema._zod;
  const whole = z.clone<OptionsSchema>(schema, {
    ...def,
    shape: { ...def.shape, ...deliveryFields },
  });
  return schema.description === undefined ? whole : whole.describe(schema.description);
}

/** Throws where a plugin in JavaScript gives something else. */
function refuseUnlessDestination(type: string, made: Partial<Destination> | undefined): void {
  const { shown, formats, encode, send } = made ?? {};
  const isText = (value: unknown) => typeof value === 'string';
  const parts = {
    shown: isText(shown),
    formats: Array.isArray(formats) && formats.length > 0 && formats.every(isText),
    encode: typeof encode === 'function',
    send: typeof send === 'function',
  };
  const lacks = Object.entries(parts).flatMap(([part, isThere]) => (isThere ? [] : [part]));
  if (lacks.length === 0) return;
  throw new TypeError(`create() of ${type} gave no destination: it must have ${lacks.join(', ')}`);
}

class DeliverySink implements Sink {
  readonly maxBytes: number;
  readonly #context: SinkContext;
  readonly #options: DeliveryOptions;
  readonly #destination: Destination;
  readonly #repeater: Repeater;
  readonly #deadLetters: DeadLetters | undefined;

  constructor(context: SinkContext, options: DeliveryOptions, destination: Destination) {
    const { system, clientId, bootstrap } = context;
    this.maxBytes = options.max_bytes;
    this.#context = context;
    this.#options = options;
    this.#destination = destination;
    this.#repeater = new Repeater({ system, destination, timeoutMs: options.timeout });
    const topic = options.dead_letter;
    this.#deadLetters =
      topic === undefined ? undefined : new DeadLetters(system, bootstrap, clientId, topic);
  }

  createWorker(assignment: Assignment, feed: PartitionFeed): PartitionWorker {
    const { system, name, directory, from, acceptGap, onArrived } = this.#context;
    const { batch, dead_letter_limit: deadLetterLimit } = this.#options;
    const { topic, topicId, partition } = assignment;
    const destination = this.#destination;
    const outbox = new Outbox(
      system.disk,
      join(directory, OUTBOX_DIRECTORY),
      streamName(assignment),
    );
    const courier = new Courier({
      clock: system.clock,
      sink: name,
      topic,
      topicId,
      partition,
      destination,
      repeater: this.#repeater,
      outbox,
      feed,
      deadLetters: this.#deadLetters,
      deadLetterLimit,
      onArrived,
    });
    return new PartitionSender({
      system,
      id: `sink ${name}, topic ${topic}, partition ${partition}`,
      feed,
      outbox,
      courier,
      from,
      destination,
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
    await this.#closeDestination();
  }

  /** A destination that does not close keeps nobody from stopping. */
  async #closeDestination(): Promise<void> {
    const { clock, log } = this.#context.system;
    const limit = new AbortController();
    const timer = clock.after(CLOSE_LIMIT_MS, () => limit.abort());
    const failed = (why: string) => log.warn(`${this.#destination.shown} was not closed: ${why}`);
    try {
      await untilAborted(Promise.resolve(this.#destination.close?.()), limit.signal);
      if (limit.signal.aborted) failed(`it has not answered for ${CLOSE_LIMIT_MS} ms`);
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    } finally {
      timer.cancel();
    }
  }
}
