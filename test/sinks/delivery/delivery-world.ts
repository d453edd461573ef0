import { Courier, type CourierOptions } from '../../../sinks/delivery/courier.js';
import type { CutOrigin, Delivery, Destination, Verdict } from '../../../sinks/delivery/index.js';
import { Outbox } from '../../../sinks/delivery/outbox.js';
import { PartitionSender } from '../../../sinks/delivery/partition-sender.js';
import { Repeater } from '../../../sinks/delivery/repeater.js';
import type { RecordWalk } from '../../../sinks/record-view.js';
import type { PartitionWorker } from '../../../sinks/worker.js';
import type { SimProcess } from '../../../system/sim/index.js';
import { FakeFeed, type FakeTopic } from '../fake-topic.js';

export const TOPIC_ID = 'abcdefghijklmnopqrstuv';
const MAX_LATENCY_MS = 5;

const accepted = { kind: 'accepted' } as const;
export const refused = { kind: 'refused', reason: 'because' } as const;
export const denied = { kind: 'denied', reason: 'nobody may' } as const;
export const unavailable = { kind: 'unavailable', reason: 'too busy' } as const;

/**
 * What a destination does with a request: `lost`: it has done its work, but the answer does not
 * arrive; `hang`: nothing comes back, whatever is aborted.
 */
export type Answer = Verdict | 'lost' | 'hang';

/** A destination without a protocol: `answer` is what stands at the other end. */
export class FakeDestination implements Destination {
  readonly shown = 'the collector';
  readonly formats: [string, ...string[]] = ['plain'];

  constructor(
    readonly process: SimProcess,
    readonly answer: (delivery: Delivery) => Answer,
  ) {}

  /** Lines of the offset and the value. */
  encode(records: RecordWalk, { format }: CutOrigin): Buffer {
    const lines = [`${format}\n`];
    while (records.next()) {
      const { bytes, offset, valueStart, valueEnd } = records;
      lines.push(
        `${offset} ${bytes.toString('utf8', valueStart, Math.max(valueStart, valueEnd))}\n`,
      );
    }
    return Buffer.from(lines.join(''));
  }

  async send(delivery: Delivery): Promise<Verdict> {
    this.#mayCrashHere();
    const answer = await this.#later(() => this.answer(delivery));
    if (answer === 'hang') return new Promise(() => {});
    await this.#later(() => undefined);
    this.#mayCrashHere();
    if (answer === 'lost') throw new Error('the connection was reset');
    return answer;
  }

  /** An enumeration crashes at calls that change something. */
  #mayCrashHere(): void {
    this.process.disk.syncDirectorySync('/');
  }

  /** In a turn of the other end's: what it throws there fails the test, and is no verdict. */
  async #later<T>(work: () => T): Promise<T> {
    const { clock, random } = this.process;
    const latencyMs = random.float() * MAX_LATENCY_MS;
    return new Promise((resolve) => clock.after(latencyMs, () => resolve(work())));
  }
}

export interface SenderSetup {
  readonly batchRecords?: number;
  readonly batchBytes?: number;
  readonly lingerMs?: number;
  readonly timeoutMs?: number;
  readonly acceptGap?: boolean;
  readonly partition?: number;
  readonly deadLetterLimit?: number;
  readonly deadLetters?: CourierOptions['deadLetters'];
  /** For several partitions of one sink. */
  readonly repeater?: Repeater;
}

/** A sender of the one partition, ticking until its process ends. */
export function startSender(
  process: SimProcess,
  topic: FakeTopic,
  destination: Destination,
  setup: SenderSetup = {},
): PartitionSender {
  const feed = new FakeFeed(process, topic);
  const partition = setup.partition ?? 0;
  const outbox = new Outbox(process.disk, '/data/notify/outbox', `mail.${TOPIC_ID}+${partition}`);
  const { timeoutMs = 5_000 } = setup;
  const courier = new Courier({
    clock: process.clock,
    sink: 'notify',
    topic: 'mail',
    topicId: TOPIC_ID,
    partition,
    destination,
    repeater: setup.repeater ?? new Repeater({ system: process, destination, timeoutMs }),
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
    destination,
    batchRecords: setup.batchRecords ?? 3,
    batchBytes: setup.batchBytes ?? 100_000,
    lingerMs: setup.lingerMs ?? 200,
    acceptGap: setup.acceptGap ?? false,
  });
  startWorker(process, feed, sender);
  return sender;
}

/** Starts a worker, as its runner would. */
export function startWorker(process: SimProcess, feed: FakeFeed, worker: PartitionWorker): void {
  feed.worker = worker;
  const tick = (): void => {
    worker.tick();
    process.clock.after(100, tick);
  };
  tick();
  worker.start();
}

/** The offsets in a body of the fake destination's. */
export function offsetsIn({ body }: Pick<Delivery, 'body'>): number[] {
  const [, ...lines] = body.toString().trimEnd().split('\n');
  return lines.map((line) => Number(line.split(' ')[0]));
}

/** What a destination that honours keys has taken, once each. */
export class Collector {
  readonly deliveries: Delivery[] = [];
  readonly #bodies = new Map<string, Buffer>();

  take(delivery: Delivery): Verdict {
    const { key, body } = delivery;
    this.deliveries.push(delivery);
    const before = this.#bodies.get(key);
    if (before !== undefined && !before.equals(body)) {
      throw new Error(`the key ${key} came back with another body`);
    }
    this.#bodies.set(key, body);
    return accepted;
  }

  /** The offsets of all bodies, in the order in which their keys first came. */
  get offsets(): number[] {
    return [...this.#bodies.values()].flatMap((body) => offsetsIn({ body }));
  }
}
