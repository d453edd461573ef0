import { describe, expect, it } from 'vitest';
import {
  CounterInterceptor,
  DeliveryError,
  Producer,
  ProducerError,
  type ProducerOptions,
  type RecordMetadata,
  timestampInterceptor,
} from '../../../client/producer/index.js';
import { ErrorCode } from '../../../protocol/index.js';
import { detach } from '../../../system/index.js';
import { createSimSystem, type SimProcess, type Simulation } from '../../../system/sim/index.js';
import { FakeBroker, type FakeBrokerOptions } from './fake-broker.js';

interface World {
  readonly sim: Simulation;
  readonly broker: FakeBroker;
  readonly client: SimProcess;
  producer(options?: Partial<ProducerOptions>): Producer;
}

async function world(options: Partial<FakeBrokerOptions> = {}, seed = 1): Promise<World> {
  const sim = createSimSystem({ seed });
  const broker = await sim.run(
    FakeBroker.listen(sim.process('broker').net, { topics: { t: 1, wide: 4 }, ...options }),
  );
  const client = sim.process('client');
  return {
    sim,
    broker,
    client,
    producer: (own = {}) => new Producer({ bootstrap: ['127.0.0.1:9092'], ...own }, client),
  };
}

const numbers = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => String(from + i));
const records = (values: readonly string[], topic = 't') =>
  values.map((value) => ({ topic, value }));

async function failureOf(promise: Promise<unknown>): Promise<DeliveryError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DeliveryError);
  return error as DeliveryError;
}

describe('send', () => {
  it('resolves with the place of each record', async () => {
    const { sim, broker, producer } = await world();
    const sender = producer();
    const one = await sim.run(sender.send({ topic: 't', value: 'a', key: 'k', timestamp: 77 }));
    expect(one).toEqual({ topic: 't', partition: 0, offset: 0, timestamp: 77 });
    const two = await sim.run(sender.send(records(['b', 'c'])));
    expect(two.map(({ offset }) => offset)).toEqual([1, 2]);
    expect(broker.log('t')[0]).toMatchObject({ key: 'k', value: 'a', timestamp: 77 });
    await sim.run(sender.close());
  });

  it('calls back once, after the interceptors, with the same', async () => {
    const { sim, producer } = await world();
    const order: string[] = [];
    const sender = producer({
      interceptors: [{ name: 'ear', onAcknowledgement: () => order.push('interceptor') }],
    });
    const got = await sim.run(
      new Promise<RecordMetadata[]>((resolve) => {
        sender.send(records(['a', 'b']), (error, list) => {
          expect(error).toBeNull();
          order.push('callback');
          resolve(list);
        });
      }),
    );
    expect(got.map(({ offset }) => offset)).toEqual([0, 1]);
    expect(order).toEqual(['interceptor', 'interceptor', 'callback']);
  });

  it('takes many calls at once, in their order, over several requests in flight', async () => {
    const { sim, broker, producer } = await world();
    const sender = producer({ batchBytes: 512 });
    const values = numbers(2000);
    const results = await sim.run(
      Promise.all(values.map((value) => sender.send({ topic: 't', value }))),
    );
    expect(broker.values('t')).toEqual(values);
    expect(results.map(({ offset }) => offset)).toEqual(values.map(Number));
  });

  it('reports the time of the append where the topic says so', async () => {
    const { sim, producer } = await world({ logAppendTimeMs: 4711 });
    const result = await sim.run(producer().send({ topic: 't', value: 'a', timestamp: 1 }));
    expect(result.timestamp).toBe(4711);
  });

  it('waits for a topic that is not there yet, and lets others pass', async () => {
    const { sim, broker, producer } = await world();
    const sender = producer();
    const late = sender.send({ topic: 'late', value: 'x' });
    await sim.run(sender.send({ topic: 't', value: 'a' }));
    await sim.advance(2000);
    broker.addTopic('late', 1);
    expect(await sim.run(late)).toMatchObject({ topic: 'late', offset: 0 });
  });

  it('hands back what it could not deliver, and why', async () => {
    const { sim, producer } = await world();
    const sender = producer({ maxBlockMs: 500 });
    const error = await sim.run(
      failureOf(
        sender.send([...records(['a']), { topic: 'nowhere', value: 'x' }, ...records(['b'])]),
      ),
    );
    expect(error.failures.map(({ record }) => record.value)).toEqual(['x', 'b']);
    expect(error.failures[0]!.reason).toMatchObject({ code: 'NO_METADATA' });
    expect(error.delivered).toMatchObject([{ topic: 't', offset: 0 }]);
    expect(error.message).toMatch(/2 of 3 records were not delivered: topic nowhere/);
  });

  it('refuses what has no bytes, no such partition or is too large, alone', async () => {
    const { sim, broker, producer } = await world();
    const sender = producer({ maxRequestBytes: 10_000 });
    const error = await sim.run(
      failureOf(
        sender.send([
          { topic: 't', value: { an: 'object' } },
          { topic: 't', value: 'x', partition: 9 },
          { topic: 't', value: 'x'.repeat(10_000) },
          { topic: 't', value: 'good' },
        ]),
      ),
    );
    const codes = error.failures.map(({ reason }) => (reason as ProducerError).code);
    expect(codes).toEqual(['BAD_VALUE', 'BAD_PARTITION', 'TOO_LARGE']);
    expect(broker.values('t')).toEqual(['good']);
  });

  it('takes a record that is larger than a batch', async () => {
    const { sim, broker, producer } = await world();
    const big = 'x'.repeat(300_000);
    await sim.run(producer({ batchBytes: 1000 }).send(records(['a', big, 'b'])));
    expect(broker.values('t')).toEqual(['a', big, 'b']);
  });

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'compresses with %s',
    async (compression) => {
      const { sim, broker, producer } = await world();
      const values = numbers(500);
      await sim.run(producer({ compression }).send(records(values)));
      expect(broker.values('t')).toEqual(values);
    },
  );
});

describe('delivery', () => {
  it.each([
    ['a lost answer', 'silent'],
    ['a connection that breaks after the write', 'writeAndHangUp'],
    ['a connection that breaks before the write', 'hangUp'],
    ['a leader that is none any more', { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }],
    [
      'an error after the write',
      { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND, write: true },
    ],
    ['a broker that fails', { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, write: true }],
  ] as const)('is exactly once and in order after %s', async (_, verdict) => {
    const { sim, broker, producer } = await world();
    broker.script = (_request, index) => (index % 4 === 2 ? verdict : 'ok');
    const sender = producer({ batchBytes: 300, requestTimeoutMs: 1000 });
    const values = numbers(300);
    const results = await sim.run(
      Promise.all(values.map((value) => sender.send({ topic: 't', value }))),
    );
    expect(broker.values('t')).toEqual(values);
    expect(results.map(({ offset }) => offset)).toEqual(values.map(Number));
    expect(broker.requests.length).toBeGreaterThan(10);
  });

  it('is exactly once and in order on a network that breaks at random', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { sim, broker, producer } = await world({}, seed);
      sim.network.dropProbability = 0.01;
      const sender = producer({ batchBytes: 300, requestTimeoutMs: 1000, retryBackoffMs: 10 });
      const values = numbers(400);
      const sent = Promise.all(values.map((value) => sender.send({ topic: 't', value })));
      const results = await sim.run(sent);
      expect(broker.values('t'), `seed ${seed}`).toEqual(values);
      expect(results.map(({ offset }) => offset)).toEqual(values.map(Number));
    }
  });

  it('splits a batch that is too large, down to the record at fault', async () => {
    const { sim, broker, producer } = await world({ maxBatchBytes: 400 });
    const sender = producer();
    const values = numbers(200);
    const results = await sim.run(sender.send(records(values)));
    expect(broker.values('t')).toEqual(values);
    expect(results.map(({ offset }) => offset)).toEqual(values.map(Number));
    const tooLarge = 'x'.repeat(500);
    const error = await sim.run(failureOf(sender.send(records(['a', tooLarge, 'b']))));
    expect(error.failures).toMatchObject([
      { record: { value: tooLarge }, reason: { code: 'TOO_LARGE' } },
    ]);
    expect(error.delivered.map(({ offset }) => offset)).toEqual([200, 201]);
    expect(broker.values('t').slice(200)).toEqual(['a', 'b']);
  });

  it('goes on under a new epoch when the broker lost its memory of the producer', async () => {
    const { sim, broker, producer } = await world();
    const sender = producer();
    await sim.run(sender.send(records(['a', 'b'])));
    broker.partition('t', 0).forgetProducers();
    broker.script = (_, index) =>
      index === 1 ? { errorCode: ErrorCode.UNKNOWN_PRODUCER_ID } : 'ok';
    await sim.run(sender.send(records(['c'])));
    expect(broker.values('t')).toEqual(['a', 'b', 'c']);
    expect(broker.identitiesGiven).toBe(1);
  });

  it('asks for another id when its own is used under a later epoch', async () => {
    const { sim, broker, producer } = await world();
    broker.script = (_, index) =>
      index === 0 ? { errorCode: ErrorCode.INVALID_PRODUCER_EPOCH } : 'ok';
    await sim.run(producer().send(records(['a'])));
    expect(broker.values('t')).toEqual(['a']);
    expect(broker.identitiesGiven).toBe(2);
  });

  it('fails at once where the broker refuses for good', async () => {
    const { sim, broker, producer } = await world();
    broker.script = () => ({ errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED });
    const error = await sim.run(failureOf(producer().send(records(['a']))));
    expect(error.failures[0]!.reason).toMatchObject({
      code: 'REFUSED',
      cause: { code: 'TOPIC_AUTHORIZATION_FAILED' },
    });
  });

  it('gives up after the delivery timeout, with no broker at all too', async () => {
    const sim = createSimSystem({ seed: 1 });
    const sender = new Producer(
      { bootstrap: ['127.0.0.1:9092'], maxBlockMs: 3000 },
      sim.process('client'),
    );
    const error = await sim.run(failureOf(sender.send(records(['a']))));
    expect(error.code).toBe('NO_METADATA');
    const { sim: other, broker, producer } = await world();
    broker.script = () => 'hangUp';
    const start = other.now;
    const late = await other.run(
      failureOf(producer({ deliveryTimeoutMs: 5000 }).send(records(['a']))),
    );
    expect(late.code).toBe('TIMED_OUT');
    expect(other.now - start).toBeGreaterThanOrEqual(5000);
    expect(other.now - start).toBeLessThan(8000);
  });

  it('retries no more often than it is told', async () => {
    const { sim, broker, producer } = await world();
    broker.script = () => ({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER });
    const error = await sim.run(failureOf(producer({ retries: 3 }).send(records(['a']))));
    expect(error.code).toBe('RETRIES_EXHAUSTED');
    expect(broker.requests).toHaveLength(4);
  });

  it('stops, and says why, where it is refused a producer id for good', async () => {
    const { sim, producer } = await world({
      identityErrorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
    });
    const sender = producer();
    const stopped = new Promise<Error | undefined>((resolve) => {
      sender.on('stopped', ({ cause }) => resolve(cause));
    });
    const error = await sim.run(failureOf(sender.send(records(['a']))));
    expect(error.failures[0]!.reason).toMatchObject({ code: 'CLOSED' });
    expect(await sim.run(stopped)).toMatchObject({ code: 'CLUSTER_AUTHORIZATION_FAILED' });
    expect((await sim.run(failureOf(sender.send(records(['b']))))).code).toBe('CLOSED');
  });

  it('with acks 1 keeps the order too, and loses nothing', async () => {
    const { sim, broker, producer } = await world();
    broker.script = (_, index) => (index % 3 === 1 ? 'hangUp' : 'ok');
    const sender = producer({ acks: 1, batchBytes: 300 });
    const values = numbers(200);
    await sim.run(sender.send(records(values)));
    expect(broker.values('t')).toEqual(values);
    expect(broker.identitiesGiven).toBe(0);
    expect(broker.requests[0]!.acks).toBe(1);
  });

  it('with acks 0 does not wait for anybody', async () => {
    const { sim, broker, producer } = await world();
    const results = await sim.run(producer({ acks: 0 }).send(records(numbers(100))));
    expect(results[99]!.offset).toBe(-1);
    await sim.runUntilIdle();
    expect(broker.values('t')).toEqual(numbers(100));
  });

  it('needs no re-creation when the broker was away', async () => {
    const sim = createSimSystem({ seed: 3 });
    const options = { topics: { t: 1 } };
    const first = await sim.run(FakeBroker.listen(sim.process('broker').net, options));
    const sender = new Producer({ bootstrap: ['127.0.0.1:9092'] }, sim.process('client'));
    const events: string[] = [];
    for (const name of ['connected', 'brokerLost', 'recovered', 'stopped'] as const) {
      sender.on(name, () => events.push(name));
    }
    await sim.run(sender.send(records(['a'])));
    sim.process('broker').kill();
    const waiting = sender.send(records(['b']));
    await sim.advance(20_000);
    await sim.run(first.listen(sim.process('broker').net));
    await sim.run(waiting);
    expect(first.values('t')).toEqual(['a', 'b']);
    await sim.run(sender.close());
    expect(events).toEqual(['connected', 'brokerLost', 'recovered', 'stopped']);
  });
});

describe('append', () => {
  const source = Buffer.from('the quick brown fox');

  it('copies bytes, and reports batches in order', async () => {
    const { sim, broker, producer } = await world();
    const sender = producer({
      batchBytes: 300,
      lingerMs: 5,
      deliveryTimeoutMs: Number.POSITIVE_INFINITY,
    });
    const target = sender.target('wide', Buffer.from('host:/var/log/a.log'));
    const key = Buffer.from('key');
    const done: [number, number][] = [];
    const batches = new Set<unknown>();
    await sim.run(async () => {
      for (let i = 0; i < 100; i++) {
        for (;;) {
          const ticket = sender.append(target, i, key, 0, 3, source, 4, 9, null);
          if (ticket === null) {
            await sender.writable();
            continue;
          }
          if (!batches.has(ticket)) {
            const index = batches.size;
            batches.add(ticket);
            ticket.onDone((error, baseOffset) => {
              expect(error).toBeNull();
              done.push([index, baseOffset]);
            });
          }
          break;
        }
      }
      await sender.flush();
    });
    expect(batches.size).toBeGreaterThan(5);
    expect(done.map(([index]) => index)).toEqual([...batches].map((_, index) => index));
    const partitions = [0, 1, 2, 3].filter((partition) => broker.log('wide', partition).length > 0);
    expect(partitions).toHaveLength(1);
    const log = broker.log('wide', partitions[0]);
    expect(log).toHaveLength(100);
    expect(log[99]).toMatchObject({ key: 'key', value: 'quick', timestamp: 99 });
  });

  it('never holds more than its memory, and refuses instead', async () => {
    const { sim, broker, producer } = await world();
    broker.script = () => 'hangUp';
    const sender = producer({ batchBytes: 1000, maxMemoryBytes: 5000 });
    const target = sender.target('t', null);
    await sim.run(async () => {
      while (sender.append(target, 1, null, 0, 0, source, 0, 3, null) === null) {
        await sender.writable();
      }
    });
    let taken = 1;
    let most = 0;
    while (sender.append(target, 1, null, 0, 0, source, 0, source.length, null) !== null) {
      taken++;
      most = Math.max(most, sender.usedBytes);
    }
    expect(most).toBeLessThanOrEqual(5000);
    expect(taken).toBeGreaterThan(100);
    await sim.advance(1000);
    broker.script = () => 'ok';
    await sim.run(sender.writable());
    expect(sender.append(target, 1, null, 0, 0, source, 0, 3, null)).not.toBeNull();
    await sim.run(sender.flush());
    expect(broker.log('t')).toHaveLength(taken + 1);
    expect(sender.usedBytes).toBe(0);
  });

  it('makes send wait, or fail, as set', async () => {
    const options = { batchBytes: 1000, maxMemoryBytes: 3000, lingerMs: 1000 };
    const { sim, broker, producer } = await world();
    const patient = producer(options);
    const values = numbers(2000);
    await sim.run(patient.send(records(values)));
    expect(broker.values('t')).toEqual(values);
    const hasty = producer({ ...options, whenFull: 'fail' });
    const error = await sim.run(failureOf(hasty.send(records(values))));
    expect(error.code).toBe('MEMORY_FULL');
    expect(error.delivered.length).toBeGreaterThan(50);
    expect(error.delivered.length + error.failures.length).toBe(2000);
  });

  it('shares little memory among many partitions', async () => {
    const { sim, broker, producer } = await world({ topics: { many: 50 } });
    const sender = producer({ batchBytes: 1000, maxMemoryBytes: 4000, lingerMs: 5000 });
    const keyed = numbers(1000).map((value) => ({ topic: 'many', key: value, value }));
    await sim.run(sender.send(keyed), { limitMs: 30_000 });
    const written = Array.from({ length: 50 }, (_, partition) => broker.values('many', partition));
    expect(written.flat()).toHaveLength(1000);
  });

  it('lingers for company', async () => {
    const { sim, broker, producer } = await world();
    const sender = producer({ lingerMs: 50 });
    await sim.run(sender.send(records(['warm-up'])));
    const before = broker.requests.length;
    const sent: Promise<unknown>[] = [];
    for (let i = 0; i < 4; i++) {
      sent.push(sender.send(records([String(i)])));
      await sim.advance(10);
    }
    expect(broker.requests.length).toBe(before);
    await sim.run(Promise.all(sent));
    expect(broker.requests.length).toBe(before + 1);
  });

  it('fails what is left when it is closed in a hurry', async () => {
    const { sim, broker, producer } = await world();
    broker.script = () => 'silent';
    const sender = producer();
    await sim.run(sender.flush());
    const sent = sender.send(records(['a']));
    detach(sent, () => {});
    await sim.advance(1000);
    await sim.run(sender.close({ timeoutMs: 100 }));
    expect((await sim.run(failureOf(sent))).code).toBe('CLOSED');
    expect((await sim.run(failureOf(sender.send(records(['b']))))).code).toBe('CLOSED');
    expect(() =>
      sender.append(sender.target('t', null), 1, null, 0, 0, source, 0, 3, null),
    ).toThrow(ProducerError);
  });
});

describe('interceptors', () => {
  it('change, drop and count records; one that throws is reported and passed over', async () => {
    const { sim, broker, client, producer } = await world();
    const counter = new CounterInterceptor();
    const configured: string[] = [];
    const sender = producer({
      clientId: 'me',
      interceptors: [
        { name: 'configured', configure: ({ clientId }) => configured.push(clientId) },
        {
          name: 'broken',
          onSend: () => {
            throw new Error('no');
          },
          onAcknowledgement: () => {
            throw new Error('no');
          },
        },
        { name: 'filter', onSend: (record) => (record.value === 'secret' ? null : record) },
        timestampInterceptor({ separator: '|' }),
        counter,
        { name: 'closer', close: () => configured.push('closed') },
      ],
    });
    const results = await sim.run(
      sender.send(['a', 'secret', 'b'].map((value) => ({ topic: 't', value, timestamp: 5 }))),
    );
    expect(broker.values('t')).toEqual(['5|a', '5|b']);
    expect(results.map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 0],
      [-1, -1],
      [0, 1],
    ]);
    broker.script = () => ({ errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED });
    const error = await sim.run(failureOf(sender.send({ topic: 't', value: 'c' })));
    expect(error.failures[0]!.record.value).toBe('c');
    expect([counter.succeeded, counter.failed]).toEqual([2, 1]);
    const reports = client.logLines.filter(({ message }) => message.includes('broken'));
    expect(reports.length).toBeGreaterThan(3);
    await sim.run(sender.close());
    expect(configured).toEqual(['me', 'closed']);
  });
});
