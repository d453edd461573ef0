import { expect, it } from 'vitest';
import {
  type BatchTicket,
  type DeliveryError,
  Producer,
  type ProducerOptions,
  type ProducerRecord,
  type RecordMetadata,
} from '../../../client/producer/index.js';
import { ErrorCode } from '../../../protocol/index.js';
import { detach } from '../../../system/index.js';
import { createSimSystem, type SimProcess, type Simulation } from '../../../system/sim/index.js';
import { Dice, seedsOf } from '../dice.js';
import { FakeBroker, type Verdict } from './fake-broker.js';

/** One send, and how often it has come to an end. */
interface Sent {
  readonly id: number;
  readonly topic: string;
  ends: number;
  delivered: RecordMetadata | undefined;
}

/**
 * A random program over one producer: an application whose callbacks throw and call the producer
 * again, a broker that loses connections, answers and patience.
 */
class Program {
  readonly sent: Sent[] = [];
  readonly tickets: { ends: number }[] = [];
  readonly flushes: { isDone: boolean }[] = [];
  readonly closings: { isDone: boolean; limitMs: number; startMs: number; endMs: number }[] = [];
  #depth = 0;
  #producer: Producer | undefined;

  constructor(
    readonly dice: Dice,
    readonly sim: Simulation,
    readonly broker: FakeBroker,
    readonly client: SimProcess,
  ) {}

  get producer(): Producer {
    this.#producer ??= this.#create();
    return this.#producer;
  }

  async run(): Promise<void> {
    const { dice, sim } = this;
    this.broker.script = () => this.#verdict();
    for (let steps = dice.upTo(40) + 5; steps > 0; steps--) {
      this.#act();
      if (dice.oneIn(2)) await sim.advance(dice.upTo(dice.oneIn(4) ? 3000 : 50));
    }
    this.#close(dice.pick([0, 100, 5000, 60_000]));
    await sim.advance(200_000);
  }

  #create(): Producer {
    const { dice } = this;
    const options: ProducerOptions = {
      bootstrap: ['127.0.0.1:9092'],
      lingerMs: dice.pick([0, 0, 5, 200]),
      batchBytes: dice.pick([300, 2000]),
      maxMemoryBytes: dice.pick([700, 5000, 1_000_000]),
      whenFull: dice.pick(['wait', 'wait', 'fail']),
      maxBlockMs: dice.pick([0, 500, 60_000]),
      deliveryTimeoutMs: dice.pick([1500, 120_000]),
      requestTimeoutMs: dice.pick([500, 30_000]),
      compression: dice.pick(['none', 'none', 'gzip', 'zstd']),
      retries: dice.pick([1, Number.POSITIVE_INFINITY]),
      ...(dice.oneIn(2) && { partitioner: (_, count) => this.#misbehave(dice.upTo(count)) }),
      ...(dice.oneIn(2) && {
        interceptors: [
          {
            name: 'wild',
            configure: () => this.#misbehave(undefined),
            onSend: (record) => this.#misbehave(dice.oneIn(10) ? null : record),
            onAcknowledgement: () => this.#misbehave(undefined),
            close: () => this.#misbehave(undefined),
          },
        ],
      }),
    };
    const producer = new Producer(options, this.client);
    for (const name of ['connected', 'brokerLost', 'recovered', 'stopped'] as const) {
      producer.on(name, () => this.#misbehave(undefined));
    }
    if (dice.oneIn(2)) producer.on('callbackError', () => this.#misbehave(undefined));
    return producer;
  }

  /** What a callback of the application does before it returns `result`. */
  #misbehave<T>(result: T): T {
    const { dice } = this;
    if (this.#producer === undefined) return result;
    if (this.#depth < 3 && this.sent.length < 300 && dice.oneIn(5)) {
      this.#depth++;
      this.#act();
      this.#depth--;
    }
    if (dice.oneIn(5)) throw dice.pick([new Error('boom'), 'boom', null]);
    return result;
  }

  #verdict(): Verdict {
    const { dice } = this;
    if (!dice.oneIn(4)) return 'ok';
    return dice.pick<Verdict>([
      'silent',
      'hangUp',
      'writeAndHangUp',
      { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER },
      { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, write: true },
      { errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED },
      // What is allowed may have changed since the batch was written for the first time.
      { errorCode: ErrorCode.MESSAGE_TOO_LARGE },
      { errorCode: ErrorCode.INVALID_RECORD },
    ]);
  }

  #act(): void {
    const { dice, producer } = this;
    const action = dice.upTo(100);
    if (action < 40) this.#send(dice.upTo(4));
    else if (action < 60) this.#sendWithCallback();
    else if (action < 80) this.#append();
    else if (action < 88) this.#flush();
    else if (action < 92) this.broker.hangUp();
    else if (action < 95) this.broker.allow('late');
    else if (action < 97) this.#close(dice.pick([0, 500, 20_000]));
    else detach(producer.writable(), () => {});
  }

  #record(): { record: ProducerRecord; sent: Sent } {
    const { dice } = this;
    const topic = dice.pick(['t', 't', 't', 'wide', 'late', 'refused']);
    const sent = { id: this.sent.length, topic, ends: 0, delivered: undefined };
    this.sent.push(sent);
    const value = `${sent.id} ${'x'.repeat(dice.oneIn(10) ? 600 : dice.upTo(60))}`;
    const key = dice.oneIn(2) ? String(dice.upTo(5)) : null;
    const bad = dice.oneIn(20) ? { partition: 9 } : {};
    return { record: { topic, key, value, ...bad }, sent };
  }

  #send(count: number): void {
    const list = Array.from({ length: count }, () => this.#record());
    const end = (found: readonly RecordMetadata[]) => this.#note(list, found);
    const sent = this.producer.send(list.map(({ record }) => record));
    detach(sent.then(end), (error) => end((error as DeliveryError).delivered));
  }

  #sendWithCallback(): void {
    const list = [this.#record(), this.#record()];
    this.producer.send(
      list.map(({ record }) => record),
      (_, found) => {
        this.#note(list, found);
        this.#misbehave(undefined);
      },
    );
  }

  #note(list: readonly { sent: Sent }[], found: readonly RecordMetadata[]): void {
    for (const { sent } of list) sent.ends++;
    // Without a failure they stand in the order of the call.
    if (found.length !== list.length) return;
    for (const [index, { sent }] of list.entries()) sent.delivered = found[index];
  }

  #append(): void {
    const { producer, dice } = this;
    const bytes = Buffer.from('appended');
    const target = producer.target(dice.pick(['t', 'wide', 'refused']), null);
    let ticket: BatchTicket | null;
    try {
      ticket = producer.append(target, 1, null, 0, 0, bytes, 0, bytes.length, null);
    } catch {
      // The producer is closed, or the partitioner has thrown: the caller hears of it.
      return;
    }
    if (ticket === null) return;
    const entry = { ends: 0 };
    this.tickets.push(entry);
    ticket.onDone(() => {
      entry.ends++;
      this.#misbehave(undefined);
    });
  }

  #flush(): void {
    const entry = { isDone: false };
    this.flushes.push(entry);
    const flushed = this.producer.flush().then(() => {
      entry.isDone = true;
    });
    detach(flushed, () => {});
  }

  #close(timeoutMs: number): void {
    const startMs = this.sim.now;
    const first = this.closings[0];
    const limitMs = Math.max(timeoutMs, (first?.startMs ?? 0) + (first?.limitMs ?? 0) - startMs);
    const entry = { isDone: false, limitMs, startMs, endMs: -1 };
    this.closings.push(entry);
    const closed = this.producer.close({ timeoutMs }).then(() => {
      entry.isDone = true;
      entry.endMs = this.sim.now;
    });
    detach(closed, () => {});
  }

  check(): void {
    expect(this.sent.filter(({ ends }) => ends !== 1)).toEqual([]);
    expect(this.tickets.filter(({ ends }) => ends !== 1)).toEqual([]);
    expect(this.flushes.filter(({ isDone }) => !isDone)).toEqual([]);
    const late = this.closings.filter(
      ({ isDone, startMs, endMs, limitMs }) => !isDone || endMs - startMs > limitMs + 1,
    );
    expect(late).toEqual([]);
    expect(this.producer.usedBytes).toBe(0);
    this.#checkLogs();
  }

  /** Nothing twice; per partition in the order of the calls; what is delivered is where it is said. */
  #checkLogs(): void {
    for (const [name, { log }] of this.broker.partitions) {
      const ids = log
        .map(({ value }) => value?.split(' ')[0] ?? '')
        .filter((id) => id !== 'appended')
        .map(Number);
      expect([name, ids]).toEqual([name, [...new Set(ids)].sort((a, b) => a - b)]);
    }
    for (const { id, delivered } of this.sent) {
      if (delivered === undefined || delivered.partition < 0) continue;
      const { topic, partition, offset } = delivered;
      if (offset < 0) continue;
      expect(this.broker.log(topic, partition)[offset]?.value?.split(' ')[0]).toBe(String(id));
    }
  }
}

it('any program ends: each send once, flush and close in their time, order kept', async () => {
  let programs = 0;
  for (const seed of seedsOf(4500)) {
    const sim = createSimSystem({ seed });
    const topics = { t: 1, wide: 3 };
    const maxBatchBytes = seed % 3 === 0 ? 500 : 1_000_000;
    const topicErrors = { refused: ErrorCode.TOPIC_AUTHORIZATION_FAILED };
    const broker = await sim.run(
      FakeBroker.listen(sim.process('broker').net, { topics, topicErrors, maxBatchBytes }),
    );
    const program = new Program(new Dice(seed), sim, broker, sim.process('client'));
    try {
      await program.run();
      program.check();
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    programs++;
  }
  expect(programs).toBeGreaterThan(0);
}, 600_000);
