import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  advanceSequence,
  createLine,
  type Line,
  type LineBatch,
  type LineSettings,
  plannedSequence,
} from '../../../client/producer/line.js';
import { type LineEffect, type LineEvent, step, takeNext } from '../../../client/producer/step.js';
import { ErrorCode } from '../../../protocol/index.js';
import { FakePartition } from './fake-partition.js';

interface TestBatch extends LineBatch {
  readonly values: readonly number[];
}

const settings: LineSettings = {
  isIdempotent: true,
  maxInFlight: 5,
  retries: Number.POSITIVE_INFINITY,
  deliveryTimeoutMs: Number.POSITIVE_INFINITY,
  waitsWhenRefused: false,
  backoffMs: () => 10,
};
const identity = { producerId: 7, producerEpoch: 0 };

function batchOf(values: readonly number[], createdMs = 0): TestBatch {
  return {
    values,
    recordCount: values.length,
    createdMs,
    state: 'waiting',
    attempts: 0,
    sequence: undefined,
    identity: undefined,
    isInDoubt: false,
    outcome: undefined,
  };
}

function incoming({ identity: owner, sequence, values }: TestBatch) {
  return { ...(owner ?? { producerId: -1, producerEpoch: -1 }), sequence: sequence ?? -1, values };
}

/** A line, a broker and a network between them that the test drives step by step. */
class World {
  readonly line: Line<TestBatch> = createLine();
  readonly partition = new FakePartition<number>();
  /** Requests on the open connection, oldest first; answered ones have their answer. */
  connection: { batch: TestBatch; sent: ReturnType<typeof incoming>; answer?: number[] }[] = [];
  /** Sent on connections that broke; they may still arrive. */
  zombies: ReturnType<typeof incoming>[] = [];
  readonly delivered: number[] = [];
  readonly failed: number[] = [];
  current: typeof identity | undefined = identity;
  nextProducerId = 8;
  now = 0;

  constructor(
    readonly own: LineSettings = settings,
    readonly maxRecords = 1000,
  ) {}

  apply(event: LineEvent<TestBatch>): void {
    for (const effect of step(this.line, event, this.now, this.own)) this.execute(effect);
  }

  queue(values: readonly number[]): void {
    this.apply({ type: 'queued', batch: batchOf(values, this.now) });
  }

  send(): boolean {
    const batch = takeNext(this.line, this.current, this.now, this.own);
    if (batch === undefined) return false;
    this.connection.push({ batch, sent: incoming(batch) });
    return true;
  }

  /** The broker handles the oldest unanswered request. */
  handle(force?: number, write = true): void {
    const request = this.connection.find(({ answer }) => answer === undefined);
    if (request === undefined) return;
    const isTooLarge = request.sent.values.length > this.maxRecords;
    if (isTooLarge) {
      request.answer = [ErrorCode.MESSAGE_TOO_LARGE, -1];
      return;
    }
    const result = write ? this.partition.append(request.sent) : undefined;
    const errorCode = result?.errorCode || force || 0;
    request.answer = [errorCode, errorCode === 0 ? (result?.baseOffset ?? -1) : -1];
  }

  /** The oldest answer reaches the client. */
  answer(): void {
    const request = this.connection[0];
    if (request?.answer === undefined) return;
    this.connection.shift();
    const [errorCode, baseOffset] = request.answer as [number, number];
    const { batch } = request;
    this.apply({ type: 'answered', batch, errorCode, baseOffset, logAppendTimeMs: -1 });
  }

  break(): void {
    const lost = this.connection;
    this.connection = [];
    for (const { sent, answer } of lost) if (answer === undefined) this.zombies.push(sent);
    for (const { batch } of lost) this.apply({ type: 'lost', batch, cause: new Error('broken') });
  }

  zombie(): void {
    const sent = this.zombies.shift();
    if (sent !== undefined && sent.values.length <= this.maxRecords) this.partition.append(sent);
  }

  /** Delivers a first batch, after which several may be in flight. */
  prove(): this {
    this.queue([-1]);
    this.finish();
    return this;
  }

  /** Lets everything come to its end on a network without faults. */
  finish(): void {
    for (let i = 0; i < 2000 && this.line.batches.length > 0; i++) {
      this.now += 20;
      while (this.send());
      this.handle();
      this.answer();
    }
  }

  private execute(effect: LineEffect<TestBatch>): void {
    switch (effect.type) {
      case 'settled': {
        const target = effect.outcome.type === 'delivered' ? this.delivered : this.failed;
        target.push(...effect.batch.values);
        break;
      }
      case 'split': {
        const { batch } = effect;
        const middle = batch.values.length >> 1;
        const halves = [batch.values.slice(0, middle), batch.values.slice(middle)].map((values) =>
          batchOf(values, batch.createdMs),
        );
        this.apply({ type: 'split', batch, halves });
        break;
      }
      case 'newProducerId':
        this.current = { producerId: this.nextProducerId++, producerEpoch: 0 };
    }
  }
}

type Move =
  | 'queue'
  | 'send'
  | 'handle'
  | 'answer'
  | 'break'
  | 'zombie'
  | 'notLeader'
  | 'writtenButError'
  | 'wait';

const moves = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Move>('queue') },
    { weight: 10, arbitrary: fc.constant<Move>('send') },
    { weight: 8, arbitrary: fc.constant<Move>('handle') },
    { weight: 8, arbitrary: fc.constant<Move>('answer') },
    { weight: 1, arbitrary: fc.constant<Move>('break') },
    { weight: 1, arbitrary: fc.constant<Move>('zombie') },
    { weight: 1, arbitrary: fc.constant<Move>('notLeader') },
    { weight: 1, arbitrary: fc.constant<Move>('writtenButError') },
    { weight: 3, arbitrary: fc.constant<Move>('wait') },
  ),
  { minLength: 10, maxLength: 150 },
);

function play(world: World, script: readonly Move[]): number[] {
  const queued: number[] = [];
  const actions: Record<Move, () => void> = {
    queue: () => {
      const values = Array.from({ length: 1 + (queued.length % 5) }, (_, i) => queued.length + i);
      queued.push(...values);
      world.queue(values);
    },
    send: () => world.send(),
    handle: () => world.handle(),
    answer: () => world.answer(),
    break: () => world.break(),
    zombie: () => world.zombie(),
    notLeader: () => world.handle(ErrorCode.NOT_LEADER_OR_FOLLOWER, false),
    writtenButError: () => world.handle(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND),
    wait: () => {
      world.now += 15;
    },
  };
  for (const move of script) {
    actions[move]();
    expect(world.line.inFlight).toBe(world.connection.length);
    expect(world.line.inFlight).toBeLessThanOrEqual(world.own.maxInFlight);
  }
  return queued;
}

describe('an idempotent line', () => {
  it('writes every record once and in order, whatever the network does', () => {
    fc.assert(
      fc.property(moves, fc.constantFrom(2, 1000), (script, maxRecords) => {
        const world = new World(settings, maxRecords);
        const queued = play(world, script);
        world.finish();
        while (world.zombies.length > 0) world.zombie();
        expect(world.partition.log).toEqual(queued);
        expect(world.delivered).toEqual(queued);
        expect(world.failed).toEqual([]);
      }),
      { numRuns: 700 },
    );
  });

  it('never writes twice or out of order, and never says lost for written, when it gives up', () => {
    const impatient = { ...settings, deliveryTimeoutMs: 100, retries: 3 };
    fc.assert(
      fc.property(moves, (script) => {
        const world = new World(impatient);
        const queued = play(world, script);
        world.finish();
        while (world.zombies.length > 0) world.zombie();
        const { log } = world.partition;
        expect(log).toEqual([...new Set(log)]);
        expect(log).toEqual([...log].sort((a, b) => a - b));
        expect([...world.delivered, ...world.failed].sort((a, b) => a - b)).toEqual(queued);
        for (const value of world.delivered) expect(log).toContain(value);
      }),
      { numRuns: 700 },
    );
  });

  it('starts anew under the next epoch when a batch was given up before its successors', () => {
    const world = new World().prove();
    world.queue([0]);
    world.queue([1]);
    world.queue([2]);
    while (world.send());
    world.break();
    world.zombies.length = 0;
    world.now += 20;
    while (world.send());
    // The first is refused for good without having been written; it was in doubt before.
    world.handle(ErrorCode.TOPIC_AUTHORIZATION_FAILED, false);
    world.answer();
    world.finish();
    expect(world.failed).toEqual([0]);
    expect(world.partition.log).toEqual([-1, 1, 2]);
    expect(world.line.identity).toEqual({ producerId: 7, producerEpoch: 1 });
  });

  it('uses the sequences again of a batch that certainly was not written', () => {
    const world = new World().prove();
    world.queue([0]);
    while (world.send());
    world.handle(ErrorCode.TOPIC_AUTHORIZATION_FAILED, false);
    world.answer();
    world.queue([1]);
    world.finish();
    expect(world.failed).toEqual([0]);
    expect(world.partition.log).toEqual([-1, 1]);
    expect(world.line.identity).toEqual({ producerId: 7, producerEpoch: 0 });
  });

  it('sends batches one by one until the broker has taken one', () => {
    const world = new World();
    for (const value of [0, 1, 2]) world.queue([value]);
    expect([world.send(), world.send()]).toEqual([true, false]);
    world.handle();
    world.answer();
    expect([world.send(), world.send(), world.send()]).toEqual([true, true, false]);
  });

  it('gets a new producer id when a broker knows a later epoch of its own', () => {
    const world = new World();
    world.partition.append({ producerId: 7, producerEpoch: 3, sequence: 0, values: [-1] });
    world.queue([0]);
    world.finish();
    expect(world.partition.log).toEqual([-1, 0]);
    expect(world.line.identity).toEqual({ producerId: 8, producerEpoch: 0 });
  });

  it('goes on when the broker has forgotten it', () => {
    const world = new World();
    world.queue([0]);
    world.finish();
    world.partition.forgetProducers();
    world.queue([1, 2]);
    world.send();
    world.handle(ErrorCode.UNKNOWN_PRODUCER_ID, false);
    world.answer();
    world.finish();
    expect(world.partition.log).toEqual([0, 1, 2]);
    expect(world.line.identity).toEqual({ producerId: 7, producerEpoch: 1 });
  });

  it('takes a duplicate for delivered', () => {
    const world = new World();
    world.queue([0]);
    world.send();
    world.handle(ErrorCode.DUPLICATE_SEQUENCE_NUMBER, false);
    world.answer();
    expect(world.delivered).toEqual([0]);
  });

  it('waits for the backoff, and for all others in flight', () => {
    const world = new World().prove();
    for (const value of [0, 1, 2]) world.queue([value]);
    while (world.send());
    world.handle(ErrorCode.NOT_LEADER_OR_FOLLOWER, false);
    world.answer();
    world.now += 100;
    expect(world.send()).toBe(false);
    world.handle(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, false);
    world.handle(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, false);
    world.answer();
    world.answer();
    expect(world.send()).toBe(true);
    expect(world.connection[0]!.batch.values).toEqual([0]);
    expect(world.line.identity?.producerEpoch).toBe(0);
  });

  it('wraps sequences as Kafka does', () => {
    expect(advanceSequence(0x7ffffffe, 1)).toBe(0x7fffffff);
    expect(advanceSequence(0x7fffffff, 1)).toBe(0);
    expect(advanceSequence(0x7ffffffe, 5)).toBe(3);
    const world = new World().prove();
    world.line.nextSequence = 0x7ffffffe;
    world.queue([0, 1, 2]);
    world.queue([3]);
    expect(plannedSequence(world.line)).toBe(2);
    while (world.send());
    expect(world.connection.map(({ sent }) => sent.sequence)).toEqual([0x7ffffffe, 1]);
  });
});

describe('a line without idempotence', () => {
  const plain = { ...settings, isIdempotent: false, maxInFlight: 1 };

  it('loses nothing and keeps the order of first appearances', () => {
    fc.assert(
      fc.property(moves, (script) => {
        const world = new World(plain);
        const queued = play(
          world,
          script.filter((move) => move !== 'zombie'),
        );
        world.finish();
        expect([...new Set(world.partition.log)]).toEqual(queued);
        expect(world.delivered).toEqual(queued);
      }),
      { numRuns: 500 },
    );
  });

  it('gives up after its retries, or its time', () => {
    const world = new World({ ...plain, retries: 1, deliveryTimeoutMs: 1000 });
    world.queue([0]);
    for (let i = 0; i < 2; i++) {
      world.send();
      world.break();
      world.now += 20;
    }
    expect(world.failed).toEqual([0]);
    world.queue([1]);
    world.now += 1000;
    world.apply({ type: 'expire' });
    expect(world.failed).toEqual([0, 1]);
  });
});
