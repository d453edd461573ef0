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
import { fc } from '../../fast-check.js';
import { FakePartition } from './fake-partition.js';

interface TestBatch extends LineBatch {
  readonly values: readonly number[];
  /** Whether the clock was right when its records got their time. */
  isTimeRight: boolean;
}

const settings: LineSettings = {
  isIdempotent: true,
  maxInFlight: 5,
  retries: Number.POSITIVE_INFINITY,
  deliveryTimeoutMs: Number.POSITIVE_INFINITY,
  waitsWhenRefused: false,
  restampsWhenRefused: false,
  backoffMs: () => 10,
};
const identity = { producerId: 7, producerEpoch: 0 };

function batchOf(values: readonly number[], createdMs = 0): TestBatch {
  return {
    values,
    isTimeRight: true,
    recordCount: values.length,
    createdMs,
    state: 'waiting',
    attempts: 0,
    sequence: undefined,
    identity: undefined,
    isInDoubt: false,
    isDoubtfulPart: false,
    isTimeRefused: false,
    outcome: undefined,
  };
}

function incoming({ identity: owner, sequence, values, isTimeRight }: TestBatch) {
  const producer = owner ?? { producerId: -1, producerEpoch: -1 };
  return { ...producer, sequence: sequence ?? -1, values, isTimeRight };
}

/** A line, a broker and a network between them that the test drives step by step. */
class World {
  readonly line: Line<TestBatch>;
  readonly partition = new FakePartition<number>();
  /** Requests on the open connection, oldest first; answered ones have their answer. */
  connection: { batch: TestBatch; sent: ReturnType<typeof incoming>; answer?: number[] }[] = [];
  /** Sent on connections that broke; they may still arrive. */
  zombies: ReturnType<typeof incoming>[] = [];
  readonly delivered: number[] = [];
  readonly failed: number[] = [];
  /** Of those, the ones of which it is not known whether they were written. */
  readonly inDoubt = new Set<number>();
  current: typeof identity | undefined = identity;
  nextProducerId = 8;
  now = 0;

  constructor(
    readonly own: LineSettings = settings,
    public maxRecords = 1000,
  ) {
    this.line = createLine(own);
  }

  /** Records that the broker refuses for themselves, at present. */
  refuses: (value: number) => boolean = () => false;
  isClockRight = true;

  apply(event: LineEvent<TestBatch>): void {
    for (const effect of step(this.line, event, this.now)) this.execute(effect);
  }

  queue(values: readonly number[]): void {
    const batch = { ...batchOf(values, this.now), isTimeRight: this.isClockRight };
    this.apply({ type: 'queued', batch });
  }

  send(): boolean {
    const batch = takeNext(this.line, this.current, this.now);
    if (batch === undefined) return false;
    if (batch.isTimeRefused) batch.isTimeRight = this.isClockRight;
    this.connection.push({ batch, sent: incoming(batch) });
    return true;
  }

  /** The broker handles the oldest unanswered request. */
  handle(force?: number, write = true): void {
    const request = this.connection.find(({ answer }) => answer === undefined);
    if (request === undefined) return;
    // Kafka looks at these before sequences: a repeat of what it has written is refused too.
    const refusal = this.refusalOf(request.sent);
    if (refusal !== undefined) {
      request.answer = [refusal, -1];
      return;
    }
    const result = write ? this.partition.append(request.sent) : undefined;
    const errorCode = result?.errorCode || force || 0;
    request.answer = [errorCode, errorCode === 0 ? (result?.baseOffset ?? -1) : -1];
  }

  private refusalOf({ values, isTimeRight }: ReturnType<typeof incoming>): number | undefined {
    if (!isTimeRight) return ErrorCode.INVALID_TIMESTAMP;
    if (values.length > this.maxRecords) return ErrorCode.MESSAGE_TOO_LARGE;
    return values.some(this.refuses) ? ErrorCode.INVALID_RECORD : undefined;
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

  private ruleChanges = 0;

  /** Smaller batches, other records that are refused, or none: in turns. */
  changeRules(): void {
    const nth = ++this.ruleChanges;
    this.maxRecords = [1000, 2, 1, 1000][nth % 4] as number;
    this.refuses = nth % 3 === 0 ? (value) => value % 7 === 0 : () => false;
  }

  break(): void {
    const lost = this.connection;
    this.connection = [];
    for (const { sent, answer } of lost) if (answer === undefined) this.zombies.push(sent);
    for (const { batch } of lost) this.apply({ type: 'lost', batch, cause: new Error('broken') });
  }

  zombie(): void {
    const sent = this.zombies.shift();
    if (sent !== undefined && this.refusalOf(sent) === undefined) {
      this.partition.append(sent);
    }
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
        if (effect.outcome.type === 'failed' && effect.outcome.reason.code === 'IN_DOUBT') {
          for (const value of effect.batch.values) this.inDoubt.add(value);
        }
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
  | 'wait'
  /** What the broker allows is changed. */
  | 'rules'
  /** The wall clock is set wrong, or right. */
  | 'clock';

const oneOf = (weights: Partial<Record<Move, number>>) =>
  fc.array(
    fc.oneof(
      ...Object.entries(weights).map(([move, weight]) => ({
        weight,
        arbitrary: fc.constant(move as Move),
      })),
    ),
    { minLength: 10, maxLength: 150 },
  );

const weights = { queue: 6, send: 10, handle: 8, answer: 8, wait: 3 };
const faults = { break: 1, zombie: 1, notLeader: 1, writtenButError: 1 };
const moves = oneOf({ ...weights, ...faults });
const movesWithClock = oneOf({ ...weights, ...faults, break: 2, clock: 3 });
const movesWithRules = oneOf({
  ...weights,
  ...faults,
  break: 2,
  writtenButError: 2,
  rules: 4,
  clock: 1,
});

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
    rules: () => world.changeRules(),
    clock: () => {
      world.isClockRight = !world.isClockRight;
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

  it('writes every record once and in order, whatever its clock is set to meanwhile', () => {
    fc.assert(
      fc.property(movesWithClock, fc.boolean(), (script, isAway) => {
        const world = new World({ ...settings, restampsWhenRefused: true });
        const queued = play(world, script);
        world.isClockRight = false;
        if (isAway) world.finish();
        world.isClockRight = true;
        world.finish();
        while (world.zombies.length > 0) world.zombie();
        expect(world.partition.log).toEqual(queued);
        expect(world.delivered).toEqual(queued);
        expect(world.failed).toEqual([]);
      }),
      { numRuns: 700 },
    );
  });

  it('keeps in mind for the halves of a batch that its time was refused', () => {
    const world = new World({ ...settings, restampsWhenRefused: true }).prove();
    world.isClockRight = false;
    world.queue([0, 1]);
    world.isClockRight = true;
    world.send();
    world.handle();
    world.answer();
    world.maxRecords = 1;
    world.now = 100;
    world.send();
    world.handle();
    world.answer();
    expect(world.line.batches.map(({ isTimeRefused }) => isTimeRefused)).toEqual([true, true]);
    world.finish();
    expect([world.delivered, world.failed]).toEqual([[-1, 0, 1], []]);
  });

  it('writes nothing twice while what the broker allows is changed, and nothing is lost', () => {
    let refused = 0;
    let doubtful = 0;
    let written = 0;
    fc.assert(
      fc.property(movesWithRules, (script) => {
        const world = new World({ ...settings, restampsWhenRefused: true });
        const queued = play(world, script);
        world.isClockRight = true;
        world.finish();
        while (world.zombies.length > 0) world.zombie();
        const { log } = world.partition;
        expect(log).toEqual([...new Set(log)].sort((a, b) => a - b));
        expect([...world.delivered, ...world.failed].sort((a, b) => a - b)).toEqual(queued);
        for (const value of world.delivered) expect(log).toContain(value);
        for (const value of world.failed) {
          if (value % 7 !== 0) expect(world.inDoubt).toContain(value);
        }
        refused += world.failed.length;
        doubtful += world.inDoubt.size;
        written += [...world.inDoubt].filter((value) => log.includes(value)).length;
      }),
      { numRuns: 1500 },
    );
    // The scripts do come to what this is about.
    expect([refused > doubtful, doubtful > 0]).toEqual([true, true]);
    // Most of them were written, as the message of IN_DOUBT says.
    expect(written / doubtful).toBeGreaterThan(0.6);
  });

  it('splits what is in doubt under its own sequences: the broker tells whether it was written', () => {
    for (const isWritten of [true, false]) {
      const world = new World().prove();
      world.queue([0, 1, 2]);
      world.send();
      if (isWritten) world.handle();
      world.break();
      world.zombies.length = 0;
      world.connection.length = 0;
      world.maxRecords = 1;
      world.finish();
      world.queue([3]);
      world.finish();
      expect(world.partition.log).toEqual([-1, 0, 1, 2, 3]);
      expect(world.failed).toEqual(isWritten ? [0, 1, 2] : []);
      expect(world.line.identity?.producerEpoch).toBe(0);
    }
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
    Object.assign(world.line, { nextSequence: 0x7ffffffe });
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
