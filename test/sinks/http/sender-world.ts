import { Courier, type CourierOptions } from '../../../sinks/http/courier.js';
import { Destination } from '../../../sinks/http/destination.js';
import { Outbox, type Parcel } from '../../../sinks/http/outbox.js';
import { PartitionSender } from '../../../sinks/http/partition-sender.js';
import type { HttpResponse } from '../../../system/index.js';
import type { ReceivedRequest, SimProcess } from '../../../system/sim/index.js';
import { FakeFeed, type FakeTopic } from '../fake-topic.js';

export const ORIGIN = 'http://collector:8080';
const TOPIC_ID = 'abcdefghijklmnopqrstuv';

export interface SenderSetup {
  readonly format?: Parcel['format'];
  readonly batchRecords?: number;
  readonly batchBytes?: number;
  readonly lingerMs?: number;
  readonly timeoutMs?: number;
  readonly acceptGap?: boolean;
  readonly partition?: number;
  readonly deadLetterLimit?: number;
  readonly deadLetters?: CourierOptions['deadLetters'];
  readonly destination?: Destination;
}

export function newDestination(process: SimProcess, timeoutMs = 5_000): Destination {
  const headers = { authorization: 'Bearer 123' };
  return new Destination({ system: process, url: `${ORIGIN}/in?token=1`, headers, timeoutMs });
}

/** A sender of the one partition, ticking until its process ends. */
export function startSender(
  process: SimProcess,
  topic: FakeTopic,
  setup: SenderSetup = {},
): PartitionSender {
  const feed = new FakeFeed(process, topic);
  const partition = setup.partition ?? 0;
  const outbox = new Outbox(process.disk, '/data/notify/outbox', `mail.${TOPIC_ID}+${partition}`);
  const courier = new Courier({
    sink: 'notify',
    topic: 'mail',
    topicId: TOPIC_ID,
    partition,
    destination: setup.destination ?? newDestination(process, setup.timeoutMs),
    outbox,
    feed,
    deadLetters: setup.deadLetters,
    deadLetterLimit: setup.deadLetterLimit ?? 10,
    onArrived: () => undefined,
  });
  const sender = new PartitionSender({
    system: process,
    id: `sink notify, topic mail, partition ${partition}`,
    feed,
    outbox,
    courier,
    from: 'earliest',
    format: setup.format ?? 'json',
    batchRecords: setup.batchRecords ?? 3,
    batchBytes: setup.batchBytes ?? 100_000,
    lingerMs: setup.lingerMs ?? 200,
    acceptGap: setup.acceptGap ?? false,
  });
  feed.worker = sender;
  const tick = (): void => {
    sender.tick();
    process.clock.after(100, tick);
  };
  tick();
  sender.start();
  return sender;
}

export function answer(status: number, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers, body: Buffer.from(status < 300 ? '' : 'because') };
}

/** The offsets in a JSON body. */
export function offsetsIn(request: ReceivedRequest): number[] {
  const records = JSON.parse(request.body.toString()) as { offset: number }[];
  return records.map(({ offset }) => offset);
}

/** An endpoint that honours the idempotency key: what it has taken, once each. */
export class Collector {
  readonly requests: ReceivedRequest[] = [];
  readonly #bodies = new Map<string, Buffer>();

  take(request: ReceivedRequest): void {
    this.requests.push(request);
    const key = request.headers['idempotency-key'] ?? '';
    const before = this.#bodies.get(key);
    if (before !== undefined && !before.equals(request.body)) {
      throw new Error(`the key ${key} came back with another body`);
    }
    this.#bodies.set(key, request.body);
  }

  /** The offsets of all bodies, in the order in which their keys first came. */
  get offsets(): number[] {
    return [...this.#bodies.values()].flatMap((body) =>
      (JSON.parse(body.toString()) as { offset: number }[]).map(({ offset }) => offset),
    );
  }
}
