import { expect, it } from 'vitest';
import { Consumer, type ConsumerOptions, type Message } from '../../client/consumer/index.js';
import type { TopicPartition } from '../../client/topic-partition.js';
import { detach } from '../../system/index.js';
import type { SimProcess, Simulation } from '../../system/sim/index.js';
import { Dice, seedsOf } from './dice.js';
import { bootstrap, produce, startBrokerIn, withBroker } from './on-broker.js';

const partitions = 3;
const perPartition = 24;

/** What a program may do beyond reading in peace. */
interface Perils {
  readonly faults: boolean;
  readonly seeks: boolean;
  readonly throws: boolean;
  readonly hangs: boolean;
}

/** What is known of one partition that a reader has. */
interface Held {
  /** The offset that must come next; undefined: wherever the group stood. */
  next: number | undefined;
  /** A seek from within a handler counts, whatever comes back from there. */
  seeks: number;
  isPaused: boolean;
  isBusy: boolean;
}

/** What all readers have done together. */
class Ledger {
  /** By partition: how often each offset was processed to its end. */
  readonly finished = Array.from({ length: partitions }, () =>
    new Array<number>(perPartition).fill(0),
  );
  readonly faults: string[] = [];

  /** Committed is behind what has been processed, whoever has done it. */
  checkCommitted({ partition, offset }: { partition: number; offset: number }, when: string): void {
    const missing = this.finished[partition]?.slice(0, offset).indexOf(0) ?? -1;
    if (missing >= 0) this.faults.push(`${when}: ${partition} committed ${offset}, not ${missing}`);
  }

  get isComplete(): boolean {
    return this.finished.every((offsets) => offsets.every((times) => times > 0));
  }
}

/** One consumer of the group, with a handler that does anything. */
class Reader {
  readonly consumer: Consumer;
  isClosed = false;
  #held = new Map<number, Held>();
  #closing: Promise<void> | undefined;

  constructor(
    readonly name: string,
    private readonly process: SimProcess,
    private readonly dice: Dice,
    private readonly ledger: Ledger,
    private readonly perils: Perils,
  ) {
    const options: ConsumerOptions = {
      bootstrap,
      groupId: 'g',
      autoOffsetReset: 'earliest',
      autoCommitIntervalMs: dice.pick([50, 1000, 5000]),
      sessionTimeoutMs: 10_000,
      heartbeatIntervalMs: dice.pick([200, 1000]),
      rebalanceTimeoutMs: 20_000,
      maxPartitionBytes: dice.pick([200, 100_000]),
      prefetchBytes: dice.pick([1, 1_000_000]),
      maxWaitMs: 100,
    };
    this.consumer = new Consumer(options, process);
    this.consumer.subscribe({
      topics: ['t'],
      onAssign: (assigned) => this.#onAssign(assigned),
      onRevoke: () => this.#onRevoke(),
    });
    detach(this.#run(dice.pick([1, 2, 3])), () => {});
  }

  async #run(streams: number): Promise<void> {
    while (this.#closing === undefined) {
      try {
        await this.consumer.run({ streams, onMessage: (message) => this.#onMessage(message) });
      } catch (error) {
        if (!/boom|closed/.test(String(error))) this.ledger.faults.push(`run: ${error}`);
      }
    }
  }

  #onAssign(assigned: readonly TopicPartition[]): void {
    this.#held = new Map(
      assigned.map(({ partition }) => [
        partition,
        { next: undefined, seeks: 0, isPaused: false, isBusy: false },
      ]),
    );
  }

  #onRevoke(): void {
    for (const [partition, { isBusy }] of this.#held) {
      // One that hangs is given up on.
      if (isBusy && !this.perils.hangs) this.#say(`${partition} is revoked with a record in hand`);
    }
    this.#held.clear();
  }

  async #onMessage({ partition, offset }: Message): Promise<void> {
    const held = this.#held.get(partition);
    const at = `${partition}:${offset}`;
    if (this.isClosed) this.#say(`${at} after close`);
    if (held === undefined) {
      this.#say(`${at} of a partition it has not got`);
      return;
    }
    if (held.isPaused) this.#say(`${at} while paused`);
    if (held.isBusy) this.#say(`${at} beside another of its partition`);
    if (held.next !== undefined && held.next !== offset) this.#say(`${at}, not ${held.next}`);
    const { seeks } = held;
    held.next = offset;
    held.isBusy = true;
    try {
      await this.#work();
    } finally {
      held.isBusy = false;
    }
    if (held.seeks === seeks) held.next = offset + 1;
    const times = this.ledger.finished[partition] as number[];
    times[offset] = (times[offset] ?? 0) + 1;
  }

  async #work(): Promise<void> {
    const { dice, perils } = this;
    if (dice.oneIn(3)) await this.process.clock.sleep(dice.upTo(300));
    if (dice.oneIn(8)) this.act();
    if (dice.oneIn(3)) await this.process.clock.sleep(dice.upTo(100));
    if (perils.throws && dice.oneIn(15)) throw new Error('boom');
    if (perils.hangs && dice.oneIn(40)) await this.process.clock.sleep(40_000);
  }

  /** From within a handler or from outside. */
  act(): void {
    const { dice, consumer, perils } = this;
    const [partition, held] = dice.pick([...this.#held]) ?? [];
    const action = dice.upTo(10);
    const patienceMs = perils.hangs ? dice.pick([0, 300, 30_000]) : 30_000;
    if (action === 0) detach(this.close(patienceMs), () => {});
    else if (action < 3) detach(consumer.commit(), () => {});
    if (partition === undefined || held === undefined) return;
    const at = { topic: 't', partition };
    if (action < 5) {
      consumer.pause([at]);
      held.isPaused = true;
    } else if (action < 7) {
      held.isPaused = false;
      consumer.resume([at]);
    } else if (perils.seeks) this.#seek(at, held);
  }

  #seek(at: TopicPartition, held: Held): void {
    // Only back to what somebody has processed, so that nothing is passed over.
    const done = this.ledger.finished[at.partition]?.indexOf(0) ?? 0;
    const position = this.dice.upTo((done < 0 ? perPartition : done) + 1);
    held.next = position;
    held.seeks++;
    detach(this.consumer.seek(at, position), () => {});
  }

  resumeAll(): void {
    for (const held of this.#held.values()) held.isPaused = false;
    this.consumer.resume();
  }

  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#end(timeoutMs);
    return this.#closing;
  }

  async #end(timeoutMs: number): Promise<void> {
    const start = this.process.clock.monotonic();
    await this.consumer.close({ timeoutMs });
    this.isClosed = true;
    const took = this.process.clock.monotonic() - start;
    if (took > timeoutMs + 5001) this.#say(`close took ${took} ms, not ${timeoutMs}`);
  }

  #say(fault: string): void {
    this.ledger.faults.push(`${this.name}: ${fault}`);
  }
}

/** A random program over the members of a group; the broker is ours, on simulated machines. */
async function runProgram(seed: number): Promise<void> {
  const dice = new Dice(seed);
  const perils: Perils = {
    faults: dice.oneIn(2),
    seeks: dice.oneIn(2),
    throws: dice.oneIn(2),
    hangs: dice.oneIn(4),
  };
  const { sim } = await withBroker({ t: { partitions } }, seed);
  await sim.run(fill(sim, dice));
  const ledger = new Ledger();
  const readers: Reader[] = [];
  const start = () => {
    const name = `reader-${readers.length}`;
    readers.push(new Reader(name, sim.process(name), dice, ledger, perils));
  };
  start();
  for (let steps = dice.upTo(12) + 4; steps > 0; steps--) {
    await sim.advance(dice.upTo(4000));
    const reader = dice.pick(readers);
    if (dice.oneIn(4) && readers.length < 5) start();
    else if (perils.faults && dice.oneIn(4)) await trouble(sim, dice);
    else if (!reader.isClosed) reader.act();
  }
  start();
  sim.network.dropProbability = 0;
  for (let patience = 40; patience > 0 && !ledger.isComplete; patience--) {
    for (const reader of readers) reader.resumeAll();
    if (readers.every(({ isClosed }) => isClosed)) start();
    await sim.advance(20_000);
  }
  await sim.run(Promise.all(readers.map((reader) => reader.close(30_000))));
  await sim.run(checkOffsets(sim, ledger));
  expect(ledger.faults).toEqual([]);
  expect(ledger.isComplete).toBe(true);
  // A handler that throws has not processed its record, and repeats nothing either.
  if (!perils.faults && !perils.seeks && !perils.hangs) checkOnce(ledger);
}

async function fill(sim: Simulation, dice: Dice): Promise<void> {
  const app = sim.process('app');
  for (let partition = 0; partition < partitions; partition++) {
    for (let at = 0; at < perPartition; ) {
      const count = Math.min(perPartition - at, 1 + dice.upTo(12));
      const values = Array.from({ length: count }, (_, index) => `${at + index}`);
      await produce(app, 't', partition, values);
      at += count;
    }
  }
}

async function trouble(sim: Simulation, dice: Dice): Promise<void> {
  if (dice.oneIn(2)) {
    sim.network.dropProbability = dice.pick([0, 0.02]);
    return;
  }
  sim.process('broker').kill();
  await sim.advance(dice.upTo(8000));
  await sim.run(startBrokerIn(sim));
}

async function checkOffsets(sim: Simulation, ledger: Ledger): Promise<void> {
  const consumer = new Consumer({ bootstrap, groupId: 'g' }, sim.process('judge'));
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic: 't', partition }));
  for (const found of await consumer.committed(all)) ledger.checkCommitted(found, 'at the end');
  await consumer.close();
}

/** Without faults, seeks and hanging handlers, handovers and patient closings repeat nothing. */
function checkOnce(ledger: Ledger): void {
  const repeated = ledger.finished.map((offsets) => offsets.filter((times) => times !== 1).length);
  expect(repeated).toEqual([0, 0, 0]);
}

it('any program: order, no call that nobody wants, nothing committed that is not done', async () => {
  let programs = 0;
  for (const seed of seedsOf(4500)) {
    try {
      await runProgram(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    programs++;
  }
  expect(programs).toBeGreaterThan(0);
}, 600_000);
